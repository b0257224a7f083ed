import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BatchShipper } from './batch-shipper.ts';
import { DiskBuffer } from './disk-buffer.ts';
import type { Batch, Delivery } from './ingest-client.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shipper-'));
});
afterEach(() => rm(folder, { recursive: true }));

const batch = (n: number): Batch => ({
  ...{ id: `batch-${String(n)}`, records: 10, body: Buffer.alloc(10) },
});
const batches = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => batch(from + i));
const down: Delivery = { outcome: 'unavailable', reason: 'down', retryAfterMs: undefined };

async function aShipper(maxBytes: number | undefined) {
  const counts: Record<string, number> = {};
  const add = (name: string, by: number) => {
    if (by > 0) counts[name] = (counts[name] ?? 0) + by;
  };
  const world = {
    answer: { outcome: 'taken' } as Delivery,
    sent: [] as string[],
    waits: [] as number[],
    /** Ends the wait under way. */
    wake: () => undefined as void,
  };
  const disk = maxBytes === undefined ? undefined : await DiskBuffer.open(folder, maxBytes);
  const shipper = new BatchShipper({
    deliver: ({ id }) => {
      if (world.answer.outcome !== 'unavailable') world.sent.push(id);
      return Promise.resolve(world.answer);
    },
    disk,
    metrics: {
      taken: () => undefined,
      shipped: (records) => {
        add('shipped', records);
      },
      dropped: (reason, records) => {
        add(reason, records);
      },
      deliveryFailed: () => undefined,
      onDisk: () => undefined,
    },
    warn: () => undefined,
    random: () => 0.5,
    pause: (ms, signal) =>
      new Promise((resolve) => {
        world.waits.push(ms);
        world.wake = resolve;
        signal.addEventListener('abort', () => {
          resolve();
        });
      }),
  });
  return { shipper, disk, counts, world };
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
const never = () => new AbortController().signal;

describe('a shipper', () => {
  test('sends in order over an outage, from disk, waiting longer each time', async () => {
    const { shipper, disk, counts, world } = await aShipper(1000);
    world.answer = down;
    shipper.offer(...batches(1, 3));
    await until(() => world.waits.length === 1 && disk?.records === 30);
    shipper.offer(batch(4));
    await until(() => disk?.records === 40);
    world.wake();
    await until(() => world.waits.length === 2);
    world.answer = { ...down, retryAfterMs: 7000 };
    world.wake();
    await until(() => world.waits.length === 3);
    expect(world.waits).toEqual([250, 500, 8000]);
    world.answer = { outcome: 'taken' };
    world.wake();
    await until(() => counts['shipped'] === 40);
    expect(world.sent).toEqual(['batch-1', 'batch-2', 'batch-3', 'batch-4']);
    await until(() => disk?.records === 0);
  });

  test('leaves on disk what cannot be sent at the end, for the next process', async () => {
    const before = await aShipper(1000);
    before.world.answer = down;
    before.shipper.offer(...batches(1, 2));
    await before.shipper.stop(never());
    const after = await aShipper(1000);
    after.shipper.offer();
    await until(() => after.counts['shipped'] === 20);
    expect(after.world.sent).toEqual(['batch-1', 'batch-2']);
    expect(before.counts).toEqual({});
  });

  test('counts what the bound of the disk drops, the oldest first', async () => {
    const { shipper, counts, world } = await aShipper(25);
    world.answer = down;
    shipper.offer(...batches(1, 5));
    await until(() => world.waits.length === 1);
    world.answer = { outcome: 'taken' };
    await shipper.stop(never());
    expect(world.sent).toEqual(['batch-4', 'batch-5']);
    expect(counts).toEqual({ disk_full: 30, shipped: 20 });
  });

  test('counts what is refused and goes on', async () => {
    const { shipper, counts, world } = await aShipper(1000);
    world.answer = { outcome: 'refused', reason: 'no' };
    shipper.offer(batch(1));
    await until(() => counts['refused'] === 10);
    world.answer = { outcome: 'taken' };
    shipper.offer(batch(2));
    await until(() => counts['shipped'] === 10);
  });

  test('without a disk keeps eight batches and counts the rest, at the end all', async () => {
    const { shipper, counts, world } = await aShipper(undefined);
    world.answer = down;
    shipper.offer(...batches(1, 10));
    await until(() => counts['memory_full'] === 20);
    await shipper.stop(never());
    expect(counts).toEqual({ memory_full: 100 });
  });
});
