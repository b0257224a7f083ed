export type InvalidModelReason = 'NotOnnx' | 'Truncated' | 'NotServable';

/** The file cannot be served as an ONNX model; the message says why and what to do. */
export class InvalidModel extends Error {
  override readonly name = 'InvalidModel';
  readonly code = 'InvalidModel';
  readonly reason: InvalidModelReason;
  constructor(reason: InvalidModelReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}
