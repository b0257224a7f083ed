import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DiskBuffer } from './disk-buffer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'disk-buffer-'));
});
afterEach(() => rm(folder, { recursive: true }));

const batch = (id: string, bytes: number, records = 1) => ({
  ...{ id: `batch-${id}`, records },
  body: Buffer.alloc(bytes, id),
});

describe('the disk buffer', () => {
  test('gives batches back in order, to the next process too', async () => {
    const first = await DiskBuffer.open(folder, 100);
    await first.write(batch('b', 30, 3));
    await first.write(batch('a', 40, 4));
    const next = await DiskBuffer.open(folder, 100);
    expect([next.bytes, next.records]).toEqual([70, 7]);
    for (const id of ['b', 'a']) {
      const { oldest } = next;
      if (oldest === undefined) throw new Error('nothing is there');
      expect((await next.read(oldest)).body.toString()).toMatch(new RegExp(`^${id}+$`));
      await next.remove(oldest);
    }
    expect([next.oldest, next.bytes]).toEqual([undefined, 0]);
    expect(await readdir(folder)).toEqual([]);
  });

  test('drops the oldest for room, and says how many records', async () => {
    const buffer = await DiskBuffer.open(folder, 100);
    expect(await buffer.write(batch('a', 40, 4))).toBe(0);
    expect(await buffer.write(batch('b', 40, 3))).toBe(0);
    expect(await buffer.write(batch('c', 80, 2))).toBe(7);
    expect(await buffer.write(batch('d', 101, 9))).toBe(9);
    expect([buffer.bytes, buffer.records]).toEqual([80, 2]);
  });

  test('removes what was half written, and leaves alone what is not its own', async () => {
    await writeFile(join(folder, '000000000001-1-batch-a.ndjson.gz.tmp'), 'x');
    await writeFile(join(folder, 'mine.txt'), 'x');
    expect((await DiskBuffer.open(folder, 100)).records).toBe(0);
    expect(await readdir(folder)).toEqual(['mine.txt']);
  });
});
