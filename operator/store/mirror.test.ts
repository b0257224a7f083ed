import { beforeEach, describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../runtime/resource-type.ts';
import { DatabaseUnavailable } from './database-error.ts';
import { MemoryMirrorRows } from './memory-mirror-rows.ts';
import { Mirror, type MirrorOptions } from './mirror.ts';
import { RowsRefused } from './mirror-rows.ts';
import { anObject } from './testing/objects.ts';

/** The tables behind a switch, and with one object they refuse. */
class FaultyRows extends MemoryMirrorRows {
  down = false;
  refused = '';

  override async known(kind: string, namespace: string | undefined) {
    this.#answer();
    return super.known(kind, namespace);
  }

  override async update(...call: Parameters<MemoryMirrorRows['update']>) {
    this.#answer();
    if (call[0].includes(this.refused)) throw new RowsRefused(new Error('too long'));
    return super.update(...call);
  }

  #answer(): void {
    if (this.down) throw new DatabaseUnavailable('write', new Error('connection refused'));
  }
}

const setUp = (limits = { maxEntries: 1000, maxBytes: 1e7 }) => {
  const rows = new FaultyRows();
  const cache: KubernetesObject[] = [];
  const counts = { spooled: 0, written: 0, dropped: 0 };
  const logged: string[] = [];
  const waits: number[] = [];
  const clock = { now: Date.parse('2026-02-01T12:00:00Z') };
  let wake: () => void = () => {};
  const options: MirrorOptions = {
    rows,
    limits,
    currentObjects: () => cache,
    metrics: {
      spooled: (entries) => (counts.spooled = entries),
      written: (written) => (counts.written += written),
      dropped: (dropped) => (counts.dropped += dropped),
    },
    log: { warn: (message) => logged.push(message), error: (message) => logged.push(message) },
    now: () => new Date(clock.now),
    random: () => 1,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
        waits.push(ms);
        wake = () => {
          clock.now += ms;
          resolve();
        };
      }),
  };
  const mirror = new Mirror(options);
  return {
    ...{ rows, cache, counts, logged, waits, mirror },
    upsert: (object: KubernetesObject) => mirror.observe({ kind: 'Model', type: 'upsert', object }),
    sleepOver: () => wake(),
    told: () =>
      rows.audit.map(({ name, operation, gap }) => `${name} ${operation}${gap ? ' gap' : ''}`),
  };
};

/** Lets everything run that waits for nothing outside. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('the mirror', () => {
  let given: ReturnType<typeof setUp>;
  beforeEach(() => {
    given = setUp();
  });

  test('writes what it sees, in order', async () => {
    const { mirror, upsert, told, counts, rows } = given;
    mirror.start();
    mirror.start();
    upsert(anObject());
    await settled();
    upsert(anObject({ version: 2, spec: { a: 1 } }));
    mirror.observe({ kind: 'Model', type: 'delete', object: anObject({ version: 2 }) });
    await settled();
    expect(told()).toEqual(['digits created', 'digits updated', 'digits deleted']);
    expect(rows.table.get('uid-demo-digits')?.row.deletedAt).toBe('2026-02-01T12:00:00.000Z');
    expect(counts).toEqual({ spooled: 0, written: 5, dropped: 0 });
    expect(await mirror.stop(1000)).toBe(0);
  });

  test('finds by a list what happened while nobody watched', async () => {
    const { mirror, rows, told } = given;
    mirror.snapshot(
      'Model',
      ['kept', 'changed', 'gone'].map((name) => anObject({ name })),
    );
    mirror.snapshot('Experiment', [anObject({ name: 'other', kind: 'Experiment' })]);
    mirror.start();
    await settled();
    rows.audit.length = 0;
    const after = [
      anObject({ name: 'kept' }),
      anObject({ name: 'changed', version: 2, spec: { a: 1 } }),
      anObject({ name: 'new' }),
    ];
    mirror.snapshot('Model', after);
    mirror.snapshot('Model', after);
    await settled();
    expect(told()).toEqual(['changed updated gap', 'new created gap', 'gone deleted gap']);
    await mirror.stop(1000);
  });

  test('leaves other namespaces alone when the list covered one', async () => {
    const { mirror, told } = given;
    mirror.start();
    mirror.snapshot('Model', [anObject({ namespace: 'a' }), anObject({ namespace: 'b' })]);
    mirror.snapshot('Model', [], 'a');
    await settled();
    expect(told()).toEqual(['digits created gap', 'digits created gap', 'digits deleted gap']);
    await mirror.stop(1000);
  });

  test('keeps every change while the database is down, and waits longer each time', async () => {
    const { mirror, rows, upsert, sleepOver, waits, told, counts } = given;
    rows.down = true;
    mirror.start();
    upsert(anObject());
    upsert(anObject({ version: 2, spec: { a: 1 } }));
    for (let wait = 0; wait < 9; wait++) {
      await settled();
      sleepOver();
    }
    await settled();
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(counts.spooled).toBe(2);
    rows.down = false;
    sleepOver();
    await settled();
    expect(told()).toEqual(['digits created', 'digits updated']);
    await mirror.stop(1000);
  });

  test('turns what no longer fits into one gap an object, from the cache', async () => {
    given = setUp({ maxEntries: 2, maxBytes: 1e7 });
    const { mirror, rows, cache, upsert, sleepOver, told, counts, logged } = given;
    rows.down = true;
    mirror.start();
    for (let version = 1; version <= 9; version++) upsert(anObject({ version, spec: { version } }));
    cache.push(anObject({ version: 9, spec: { version: 9 } }));
    expect(counts.dropped).toBe(7);
    expect(logged).toEqual(['The audit spool is full; changes from here on become gaps']);
    await settled();
    rows.down = false;
    sleepOver();
    await settled();
    upsert(anObject({ version: 10, spec: { version: 10 } }));
    await settled();
    expect(told()).toEqual([
      'digits created',
      'digits updated',
      'digits updated gap',
      'digits updated',
    ]);
    await mirror.stop(1000);
  });

  test('leaves out only what the database refuses for good', async () => {
    const { mirror, rows, told, counts, logged } = given;
    rows.refused = 'uid-demo-bad';
    mirror.snapshot(
      'Model',
      ['one', 'bad', 'two'].map((name) => anObject({ name })),
    );
    mirror.start();
    await settled();
    expect(told()).toEqual(['one created gap', 'two created gap']);
    expect(counts.dropped).toBe(1);
    expect(logged).toEqual(['The database refuses a change; it is missing in search and audit']);
    await mirror.stop(1000);
  });

  test('writes the rest when it stops', async () => {
    const { mirror, rows, upsert, told } = given;
    rows.down = true;
    mirror.start();
    upsert(anObject());
    await settled();
    rows.down = false;
    expect(await mirror.stop(1000)).toBe(0);
    expect(told()).toEqual(['digits created']);
  });

  test('gives up after its time, and says how much is left', async () => {
    const { mirror, rows, upsert, sleepOver, logged } = given;
    rows.down = true;
    mirror.start();
    upsert(anObject());
    await settled();
    const stopped = mirror.stop(1000);
    for (let wait = 0; wait < 5; wait++) {
      await settled();
      sleepOver();
    }
    expect(await stopped).toBe(1);
    expect(logged.at(-1)).toBe('Stopped before the audit spool was written');
  });
});
