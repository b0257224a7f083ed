import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiError } from './cluster.ts';
import { GarbageError } from './json-lines.ts';
import { WIDGET, widget } from './testing/objects.ts';
import { WatchedWidgets } from './testing/watched-widgets.ts';

let widgets: WatchedWidgets;

const started = async (): Promise<void> => {
  widgets.cluster.offersInitialEvents = true;
  await widgets.start();
};
const lastWatch = () => widgets.cluster.watches.at(-1)?.options;
const expired = () => new ApiError(410, 'Expired', 'too old resource version');

beforeEach(() => {
  widgets = new WatchedWidgets();
});

afterEach(async () => {
  expect(await widgets.stop()).toEqual({ streams: 0, nextTimer: undefined });
});

describe('a list that is streamed', () => {
  test('is complete at its bookmark, and the same stream tells what follows', async () => {
    for (const name of ['a', 'b']) await widgets.create(name);
    await started();
    expect(widgets.informer.hasSynced).toBe(true);
    expect(lastWatch()).toMatchObject({ resourceVersion: '', initialEvents: true });
    await widgets.change('a', 'new');
    await widgets.clock.settle();
    expect(widgets.changes).toEqual(['ADDED a (list)', 'ADDED b (list)', 'MODIFIED a (watch)']);
    expect(widgets.cluster.lists).toHaveLength(0);
    expect(widgets.cluster.watches).toHaveLength(1);
  });

  test('is not asked for again when the stream only ends', async () => {
    await widgets.create('a');
    await started();
    await widgets.clock.advance(2_000);
    widgets.cluster.watches.at(-1)?.end();
    await widgets.clock.settle();
    expect(lastWatch()).toMatchObject({ resourceVersion: '1' });
    expect(lastWatch()).not.toHaveProperty('initialEvents');
  });

  test('of an expired watch tells once what vanished and what came meanwhile', async () => {
    for (const name of ['a', 'b']) await widgets.create(name);
    await started();
    widgets.cluster.watchErrors.push(expired());
    widgets.cut();
    await widgets.delete('a');
    await widgets.create('c');
    await widgets.clock.advance(5_000);
    expect(widgets.names).toEqual(['b', 'c']);
    expect(widgets.changes.slice(2)).toEqual(['ADDED c (list)', 'DELETED a (list)']);
    expect(
      widgets.cluster.watches.filter(({ options }) => options.initialEvents === true),
    ).toHaveLength(2);
  });

  test('that breaks off is neither complete nor takes anything away; pages finish it', async () => {
    for (const name of ['a', 'b']) await widgets.create(name);
    widgets.cluster.watchErrors.push(new Error('connection reset'));
    await started();
    expect(widgets.informer.hasSynced).toBe(false);
    await widgets.clock.advance(1_000);
    expect(widgets.informer.hasSynced).toBe(true);
    expect(widgets.cluster.lists).toHaveLength(1);
    widgets.cluster.watchErrors.push(expired());
    widgets.cut();
    await widgets.clock.advance(5_000);
    // Once in pages is not for good.
    expect(widgets.cluster.lists).toHaveLength(1);
    expect(lastWatch()?.initialEvents).toBe(true);
  });

  test.each([400, 422])('is given up for pages, at once and for good, on %i', async (code) => {
    await widgets.create('a');
    widgets.cluster.watchErrors.push(new ApiError(code, 'Invalid', 'forbidden for watch'));
    await started();
    expect(widgets.names).toEqual(['a']);
    expect(widgets.errors).toEqual([]);
    expect(widgets.cluster.lists).toHaveLength(1);
    widgets.cluster.watchErrors.push(expired());
    widgets.cut();
    await widgets.clock.advance(5_000);
    expect(widgets.cluster.lists).toHaveLength(2);
  });

  test('is given up for pages when another bookmark comes first', async () => {
    await widgets.create('a');
    widgets.cluster.silent = true;
    await started();
    widgets.cluster.watches[0]?.send({
      type: 'ADDED',
      object: widget('x', { resourceVersion: '0' }),
    });
    widgets.cluster.watches[0]?.send({
      type: 'BOOKMARK',
      object: widget('', { resourceVersion: '5' }),
    });
    widgets.cluster.silent = false;
    await widgets.clock.settle();
    // What such a stream has shown is there until a list says otherwise.
    expect(widgets.names).toEqual(['a']);
    expect(widgets.changes).toEqual(['ADDED x (list)', 'ADDED a (list)', 'DELETED x (list)']);
    expect(widgets.cluster.lists).toHaveLength(1);
  });

  test('is given up for pages when its end does not come', async () => {
    await widgets.create('a');
    widgets.cluster.silent = true;
    await started();
    await widgets.clock.advance(9_000);
    expect(widgets.informer.hasSynced).toBe(false);
    widgets.cluster.silent = false;
    await widgets.clock.advance(2_000);
    expect(widgets.names).toEqual(['a']);
    expect(widgets.restarts).toEqual(['silent']);
  });
});

describe('a watch', () => {
  test('that holds garbage goes on from the last good version, and it is counted', async () => {
    await started();
    await widgets.create('a');
    await widgets.clock.settle();
    widgets.cut(new GarbageError('no JSON'));
    await widgets.create('b');
    await widgets.clock.advance(1_000);
    expect(lastWatch()?.resourceVersion).toBe('1');
    expect(widgets.names).toEqual(['a', 'b']);
    expect(widgets.restarts).toEqual(['garbage']);
    expect(widgets.errors).toHaveLength(1);
  });

  test('that is cut every two seconds is opened again soon each time', async () => {
    await started();
    for (let cut = 0; cut < 10; cut++) {
      await widgets.clock.advance(2_000);
      widgets.cut();
      await widgets.clock.settle();
    }
    expect(widgets.errors.map(({ retryInMs }) => retryInMs)).toEqual(Array(10).fill(375));
  });

  test('that breaks at once waits longer each time, until it was healthy for a while', async () => {
    await started();
    const broken = () => new Error('connection reset');
    widgets.cluster.watchErrors.push(...Array.from({ length: 5 }, broken));
    widgets.cut();
    await widgets.clock.advance(60_000);
    widgets.cut();
    const waits = widgets.errors.map(({ retryInMs }) => retryInMs);
    await widgets.clock.settle();
    expect(waits).toEqual([375, 750, 1_500, 3_000, 6_000, 12_000]);
    expect(widgets.errors.at(-1)?.retryInMs).toBe(375);
  });

  test('begun from a stale list tells again what came after it, and loses nothing', async () => {
    widgets.cluster.offersInitialEvents = false;
    await widgets.create('a');
    await widgets.create('b');
    const stale = await widgets.cluster.list(WIDGET);
    await widgets.start();
    await widgets.delete('a');
    await widgets.create('c');
    await widgets.clock.settle();
    widgets.cluster.staleLists.push(stale);
    widgets.cluster.watchErrors.push(expired());
    widgets.cut();
    await widgets.delete('b');
    await widgets.create('d');
    await widgets.clock.advance(5_000);
    expect(widgets.names).toEqual(['c', 'd']);
    expect(widgets.changes.slice(2)).toEqual([
      'DELETED a (watch)',
      'ADDED c (watch)',
      'DELETED b (watch)',
      'ADDED d (watch)',
    ]);
  });

  test('whose events come in another order brings nothing back that is gone', async () => {
    await widgets.create('a');
    await started();
    const changed = await widgets.change('a', 'new');
    await widgets.delete('a');
    await widgets.clock.settle();
    widgets.cluster.watches.at(-1)?.send({ type: 'MODIFIED', object: changed });
    await widgets.clock.settle();
    expect(widgets.names).toEqual([]);
    expect(widgets.changes).toEqual(['ADDED a (list)', 'MODIFIED a (watch)', 'DELETED a (watch)']);
  });

  test('tells how long ago the server last proved the cache current', async () => {
    await started();
    await widgets.clock.advance(20_000);
    expect(widgets.informer.ageSeconds).toBe(20);
    const bookmark = widget('', { resourceVersion: '9' });
    widgets.cluster.watches.at(-1)?.send({ type: 'BOOKMARK', object: bookmark });
    await widgets.clock.advance(3_000);
    expect(widgets.informer.ageSeconds).toBe(3);
    await widgets.clock.advance(20_000);
    widgets.cluster.watches.at(-1)?.end();
    await widgets.clock.settle();
    // In its time: without a word, and yet nothing was kept back.
    expect(widgets.informer.ageSeconds).toBe(0);
    await widgets.clock.advance(5_000);
    widgets.cluster.watches.at(-1)?.end();
    await widgets.clock.settle();
    expect(widgets.informer.ageSeconds).toBe(5);
  });
});

describe('metadata alone', () => {
  test('is asked for, and kept of answers to writes too', async () => {
    widgets = new WatchedWidgets({ metadataOnly: true });
    await widgets.create('a');
    await started();
    expect(lastWatch()?.metadataOnly).toBe(true);
    widgets.informer.learn(await widgets.change('a', 'new'));
    expect(Object.keys(widgets.cached('a') ?? {})).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(widgets.cached('a')?.metadata.resourceVersion).toBe('2');
  });

  test('comes in pages where lists are not streamed', async () => {
    widgets = new WatchedWidgets({ metadataOnly: true });
    await widgets.create('a');
    await widgets.start();
    expect(widgets.cluster.lists).toMatchObject([{ metadataOnly: true }]);
    expect(Object.keys(widgets.cached('a') ?? {})).toEqual(['apiVersion', 'kind', 'metadata']);
  });
});
