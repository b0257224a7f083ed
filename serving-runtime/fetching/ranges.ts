/** A download in ranges (RFC 9110, section 14), several under way at a time and given in order. */
import { SourceError } from './source-error.ts';

export const rangeBytes = 8 * 1024 * 1024;
/** Each waits in memory until its turn. */
const ahead = 4;

export const rangeOf = (start: number, size: number): string =>
  `bytes=${String(start)}-${String(start + size - 1)}`;

/** The size of the whole, of an answer that is its first range. */
export function totalOf({ status, headers }: Response): number | undefined {
  if (status !== 206) return undefined;
  const total = /^bytes 0-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}

/** `first` are the bytes of the first range; `open` asks for a later one. Throws SourceError. */
export async function* inRanges(
  first: AsyncIterable<Uint8Array>,
  total: number,
  open: (start: number, size: number) => Promise<AsyncIterable<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  const waiting: Promise<Uint8Array>[] = [];
  let start = rangeBytes;
  const askAhead = () => {
    while (start < total && waiting.length < ahead) {
      const size = Math.min(rangeBytes, total - start);
      const asked = gather(open(start, size), size);
      // Where the download ends before its turn, nobody looks at it any more.
      asked.catch(() => undefined);
      waiting.push(asked);
      start += size;
    }
  };
  askAhead();
  yield* first;
  for (;;) {
    const next = waiting.shift();
    if (next === undefined) return;
    const bytes = await next;
    askAhead();
    yield bytes;
  }
}

async function gather(
  opening: Promise<AsyncIterable<Uint8Array>>,
  size: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let got = 0;
  for await (const chunk of await opening) {
    if (got + chunk.byteLength > size) throw wrongLength(size, 'more');
    bytes.set(chunk, got);
    got += chunk.byteLength;
  }
  if (got < size) throw wrongLength(size, String(got));
  return bytes;
}

const wrongLength = (size: number, got: string): SourceError =>
  new SourceError(
    'ArtifactUnavailable',
    'unavailable',
    `a range of ${String(size)} bytes was asked for, and ${got} came`,
  );
