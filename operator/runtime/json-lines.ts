import { setImmediate as others } from 'node:timers/promises';

/** A stream held bytes that are not what was to come; nothing after them can be trusted. */
export class GarbageError extends Error {
  override readonly name = 'GarbageError';
  readonly code = 'Garbage';
}

/**
 * Parses a stream of newline-separated JSON values, as a watch sends them. Characters may be split
 * between chunks. Throws `GarbageError` on a line that is no JSON, also one cut short, and on bytes
 * that are no UTF-8, after the values that came before.
 */
export async function* jsonLines<T>(chunks: AsyncIterable<Uint8Array>): AsyncIterable<T> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const partial: string[] = [];
  for await (const chunk of chunks) {
    const [first = '', ...rest] = decoded(decoder, chunk).split('\n');
    partial.push(first);
    for (const next of rest) {
      yield* parsed<T>(partial.join(''));
      partial.length = 0;
      partial.push(next);
    }
    // A long stream may always have its next chunk at hand; without this it would hold up all else.
    await others();
  }
  yield* parsed<T>(partial.join('') + decoded(decoder));
}

const decoded = (decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string => {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch (cause) {
    throw new GarbageError('A stream sent bytes that are no UTF-8.', { cause });
  }
};

function* parsed<T>(line: string): Iterable<T> {
  if (line.trim() === '') return;
  let value: T;
  try {
    value = JSON.parse(line) as T;
  } catch (cause) {
    throw new GarbageError(`A stream sent a line that is no JSON: ${line.slice(0, 200)}`, {
      cause,
    });
  }
  yield value;
}
