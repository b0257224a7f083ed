/** Batches on disk, oldest first, within a bound; they outlive the process. */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from './ingest-client.ts';

/** One file; its name says its place in the order, how many records it has and its batch id. */
export type Segment = {
  readonly sequence: number;
  readonly records: number;
  readonly id: string;
  readonly bytes: number;
};

const nameForm = /^(\d{12})-(\d+)-([A-Za-z0-9_-]{1,64})\.ndjson\.gz$/;

/** Not for callers at the same time: each call waits for the one before, whoever makes it. */
export class DiskBuffer {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #segments: Segment[];
  #bytes: number;
  #next: number;

  private constructor(folder: string, maxBytes: number, segments: Segment[]) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#segments = segments;
    this.#bytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#next = (segments.at(-1)?.sequence ?? 0) + 1;
  }

  /** Finds what an earlier process left; what it had half written is removed. */
  static async open(folder: string, maxBytes: number): Promise<DiskBuffer> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const segments: Segment[] = [];
    for (const name of (await readdir(folder)).sort()) {
      const [, sequence, records, id] = nameForm.exec(name) ?? [];
      if (id === undefined) {
        if (name.endsWith('.tmp')) await rm(join(folder, name), { force: true });
        continue;
      }
      const { size } = await stat(join(folder, name));
      segments.push({ sequence: Number(sequence), records: Number(records), id, bytes: size });
    }
    return new DiskBuffer(folder, maxBytes, segments);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#segments.reduce((sum, { records }) => sum + records, 0);
  }

  get oldest(): Segment | undefined {
    return this.#segments[0];
  }

  /**
   * Writes a batch whole, or throws. Gives the number of records of the oldest ones that were dropped
   * to make room, or of this one where it is larger than all the room there is.
   */
  async write(batch: Batch): Promise<number> {
    if (batch.body.length > this.#maxBytes) return batch.records;
    let dropped = 0;
    while (this.#bytes + batch.body.length > this.#maxBytes) {
      const oldest = this.#segments[0];
      if (oldest === undefined) break;
      await this.remove(oldest);
      dropped += oldest.records;
    }
    const segment = {
      ...{ sequence: this.#next++, records: batch.records, id: batch.id },
      bytes: batch.body.length,
    };
    const path = this.#path(segment);
    await writeFile(`${path}.tmp`, batch.body, { mode: 0o600, flush: true });
    await rename(`${path}.tmp`, path);
    this.#segments.push(segment);
    this.#bytes += segment.bytes;
    return dropped;
  }

  async read(segment: Segment): Promise<Batch> {
    const body = await readFile(this.#path(segment));
    return { id: segment.id, records: segment.records, body };
  }

  async remove(segment: Segment): Promise<void> {
    const index = this.#segments.indexOf(segment);
    if (index === -1) return;
    this.#segments.splice(index, 1);
    this.#bytes -= segment.bytes;
    await rm(this.#path(segment), { force: true });
  }

  #path({ sequence, records, id }: Segment): string {
    const name = `${String(sequence).padStart(12, '0')}-${String(records)}-${id}.ndjson.gz`;
    return join(this.#folder, name);
  }
}
