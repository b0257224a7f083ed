/**
 * What the runtime leaves in the container's termination message, which the operator reads from the
 * pod's status: how a load failed, or what an inspection found. Kubernetes keeps 4096 bytes of it.
 */
import type { ModelSignature, TensorSignature } from './signature.ts';

const failureReasons = [
  'DigestMismatch',
  'ArtifactNotFound',
  'ArtifactUnavailable',
  'NotAuthorized',
  'TooLarge',
  'InvalidModel',
  'InvalidConfig',
] as const;

export type FailureReason = (typeof failureReasons)[number];

export type FailureMessage = {
  readonly reason: FailureReason;
  readonly message: string;
  /** Digests, with DigestMismatch only. */
  readonly expected?: string;
  readonly actual?: string;
};

export type InspectionMessage = ModelSignature & {
  readonly digest: string;
  readonly sizeBytes: number;
  /** True when inputs or outputs were left off the end to stay within the limit. */
  readonly truncated?: true;
};

const terminationMessageLimit = 4096;

/** The message as JSON, always below the limit: a failure's text is cut, a long signature shortened. */
export function renderTerminationMessage(message: FailureMessage | InspectionMessage): string {
  const whole = JSON.stringify(message);
  if (fits(whole)) return whole;
  return 'reason' in message ? renderCutFailure(message) : renderCutInspection(message);
}

function fits(text: string): boolean {
  return new TextEncoder().encode(text).byteLength < terminationMessageLimit;
}

function renderCutFailure(failure: FailureMessage): string {
  const render = (length: number) =>
    JSON.stringify({ ...failure, message: `${failure.message.slice(0, length)}…` });
  let length = failure.message.length;
  while (length > 0 && !fits(render(length))) length = Math.floor(length * 0.8);
  return render(length);
}

function renderCutInspection(inspection: InspectionMessage): string {
  const inputs = [...inspection.inputs];
  const outputs = [...inspection.outputs];
  const render = () => JSON.stringify({ ...inspection, inputs, outputs, truncated: true });
  let text = render();
  while (!fits(text) && inputs.length + outputs.length > 0) {
    longer(inputs, outputs).pop();
    text = render();
  }
  return text;
}

function longer(a: TensorSignature[], b: TensorSignature[]): TensorSignature[] {
  return a.length >= b.length ? a : b;
}

/**
 * Reads a termination message back; `undefined` for text that is none of ours (a crash leaves the
 * tail of the log, an out-of-memory kill leaves nothing).
 */
export function parseTerminationMessage(
  text: string,
): FailureMessage | InspectionMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (isFailure(value) || isInspection(value)) return value;
  return undefined;
}

function isFailure(value: unknown): value is FailureMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { reason, message } = value as Partial<Record<string, unknown>>;
  return failureReasons.some((known) => known === reason) && typeof message === 'string';
}

function isInspection(value: unknown): value is InspectionMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { digest, sizeBytes, inputs, outputs } = value as Partial<Record<string, unknown>>;
  return (
    typeof digest === 'string' &&
    typeof sizeBytes === 'number' &&
    Array.isArray(inputs) &&
    Array.isArray(outputs)
  );
}
