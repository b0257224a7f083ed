/**
 * Parses a stream of newline-separated JSON values, as a watch sends them. Characters may be split
 * between chunks. Throws SyntaxError on a line that is no JSON: what follows cannot be trusted.
 */
export async function* jsonLines<T>(chunks: AsyncIterable<Uint8Array>): AsyncIterable<T> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const partial: string[] = [];
  for await (const chunk of chunks) {
    const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
    partial.push(first);
    for (const next of rest) {
      yield* parsed<T>(partial.join(''));
      partial.length = 0;
      partial.push(next);
    }
  }
  yield* parsed<T>(partial.join('') + decoder.decode());
}

function* parsed<T>(line: string): Iterable<T> {
  if (line.trim() !== '') yield JSON.parse(line) as T;
}
