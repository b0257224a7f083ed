import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { batchLimits } from '../protocol/prediction-record.ts';
import type { Batch } from './ingest-client.ts';

const compress = promisify(gzip);

/** A batch of lines, packed on zlib's own thread at its fastest level. */
export async function sealBatch(id: string, lines: readonly string[]): Promise<Batch> {
  const body = await compress(`${lines.join('\n')}\n`, { level: 1 });
  return { id, records: lines.length, body };
}

/** Lines in order, in parts that the endpoint takes; none is over the limit of a record. */
export function splitLines(lines: readonly string[]): readonly (readonly string[])[] {
  const parts: string[][] = [];
  let part: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = Buffer.byteLength(line) + 1;
    if (
      part.length > 0 &&
      (bytes + size > batchLimits.sentBytes || part.length >= batchLimits.records)
    ) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(line);
    bytes += size;
  }
  return part.length === 0 ? parts : [...parts, part];
}
