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

/** Gathers lines to as many as the endpoint takes at once. */
export class BatchDraft {
  #lines: string[] = [];
  #bytes = 0;

  /** Takes a line of so many bytes, its end included; gives those before it where it does not fit with them. */
  add(line: string, bytes: number): readonly string[] {
    const isOver =
      this.#bytes + bytes > batchLimits.sentBytes || this.#lines.length >= batchLimits.records;
    const full = isOver ? this.take() : [];
    this.#lines.push(line);
    this.#bytes += bytes;
    return full;
  }

  /** What is left, and begins anew. */
  take(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    return lines;
  }
}

/** Lines in order, in parts that the endpoint takes; none is over the limit of a record. */
export function splitLines(lines: readonly string[]): readonly (readonly string[])[] {
  const draft = new BatchDraft();
  const parts = lines.map((line) => draft.add(line, Buffer.byteLength(line) + 1));
  return [...parts, draft.take()].filter((part) => part.length > 0);
}
