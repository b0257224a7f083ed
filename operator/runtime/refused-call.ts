import type { Dispatcher } from 'undici';
import { ApiError, NAMESPACE_TERMINATING, type JsonPatchOperation } from './cluster.ts';

/** What was asked, as far as it says what a refusal means. */
export type RefusedCall = {
  readonly verb: string;
  readonly path: string;
  readonly body?: { readonly value: unknown };
};

type RawStatus = {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly field?: string; readonly reason?: string }[];
  };
};

/**
 * The error that an answer other than a success stands for: what the server says, or the beginning of
 * a page that is no Status. Both 422s that mean a lost race are called conflicts.
 */
export const apiError = async (
  { statusCode, headers, body }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>,
  call: RefusedCall,
): Promise<ApiError> => {
  const text = await body.text();
  const status = parseStatus(text);
  const header = Number(headers['retry-after'] ?? Number.NaN);
  const asked = Number.isFinite(header) ? header : status.details?.retryAfterSeconds;
  const message =
    status.message ?? `${call.verb} ${call.path} answered ${statusCode}: ${text.slice(0, 500)}`;
  if (isFailedTest(statusCode, status, call) || isOtherUid(statusCode, status))
    return new ApiError(409, 'Conflict', message);
  const reason = isInDyingNamespace(status) ? NAMESPACE_TERMINATING : status.reason;
  return new ApiError(statusCode, reason ?? 'Unknown', message, { retryAfterSeconds: asked });
};

/** The namespace lifecycle admission says so in a cause; the reason itself is Forbidden. */
const isInDyingNamespace = ({ details }: RawStatus): boolean =>
  details?.causes?.some(({ reason }) => reason === NAMESPACE_TERMINATING) === true;

/** A `test` that fails is answered 422 without causes; a patch that makes the object invalid names them. */
const isFailedTest = (code: number, status: RawStatus, { verb, body }: RefusedCall): boolean =>
  code === 422 &&
  verb === 'patch' &&
  (status.details?.causes ?? []).length === 0 &&
  (body?.value as readonly JsonPatchOperation[]).some(({ op }) => op === 'test');

/** An apply to another uid than the stored one: 409 where nothing is stored, but 422 where something is. */
const isOtherUid = (code: number, { details }: RawStatus): boolean =>
  code === 422 && details?.causes?.some(({ field }) => field === 'metadata.uid') === true;

const parseStatus = (text: string): RawStatus => {
  try {
    return JSON.parse(text) as RawStatus;
  } catch {
    // A proxy's page, not a Status; the text itself goes into the message.
    return {};
  }
};
