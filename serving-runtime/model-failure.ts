import type { FailureMessage, FailureReason } from './protocol/termination-message.ts';

/** The model cannot be served; ends the process, and the operator reads why. */
export class ModelFailure extends Error {
  readonly code: FailureReason;
  readonly digests: { readonly expected: string; readonly actual: string } | undefined;

  constructor(
    code: FailureReason,
    message: string,
    options: { cause?: unknown; digests?: { expected: string; actual: string } } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ModelFailure';
    this.code = code;
    this.digests = options.digests;
  }

  toMessage(): FailureMessage {
    return { reason: this.code, message: this.message, ...this.digests };
  }
}
