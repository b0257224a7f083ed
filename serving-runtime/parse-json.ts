import { isUtf8 } from 'node:buffer';
import { invalidRequest } from './protocol/protocol-error.ts';

/** JSON.parse's third argument to its reviver (TC39 "source text access", in V8 since 11.4). */
type ReviverContext = { readonly source?: string };

/**
 * The JSON value of a body. With `exactIntegers`, whole numbers beyond 2^53 come as bigint instead of
 * the nearest double; it costs a pass over the value, taken only when such a number can be there.
 * Throws a ProtocolError (400).
 */
export function parseJson(body: Buffer, exactIntegers: boolean): unknown {
  if (!isUtf8(body)) throw invalidRequest('the body is not valid UTF-8');
  const text = body.toString('utf8');
  try {
    const beyondSafe = exactIntegers && /(?<![\d.])\d{16}/.test(text);
    return beyondSafe ? JSON.parse(text, reviveExactly) : JSON.parse(text);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw invalidRequest(`the body is not valid JSON: ${cause}`);
  }
}

function reviveExactly(_key: string, value: unknown, context?: ReviverContext): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
