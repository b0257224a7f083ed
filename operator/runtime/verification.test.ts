import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { InformerOptions } from './informer.ts';
import { WIDGET, widget } from './testing/objects.ts';
import { WatchedWidgets } from './testing/watched-widgets.ts';

const EVERY_MS = 30_000;
/** One look, and the time it gives to what is under way. */
const LOOK_MS = EVERY_MS + 5_000;

let widgets: WatchedWidgets;

const started = async (options: Partial<InformerOptions> = {}): Promise<void> => {
  widgets = new WatchedWidgets({ verifyMs: EVERY_MS, ...options });
  widgets.cluster.offersInitialEvents = true;
  for (const name of ['a', 'b']) await widgets.create(name, { labels: { team: 'blue' } });
  await widgets.start();
};

beforeEach(() => started());

afterEach(async () => {
  expect(await widgets.stop()).toEqual({ streams: 0, nextTimer: undefined });
});

describe('a cache whose watch has silently lost', () => {
  test('a creation, a change and a deletion is put right by one list of metadata', async () => {
    await widgets.unseen(async () => {
      await widgets.create('new');
      await widgets.change('a', 'changed');
      await widgets.delete('b');
    });
    await widgets.clock.advance(LOOK_MS);
    expect(widgets.changes.slice(2).toSorted()).toEqual([
      'ADDED new (list)',
      'DELETED b (list)',
      'MODIFIED a (list)',
    ]);
    expect(widgets.healed).toEqual([3]);
    expect(widgets.cluster.lists).toMatchObject([{ metadataOnly: true }]);
    expect(widgets.cluster.watches).toHaveLength(1);
  });

  test('an object that was made again under its name is told as two changes', async () => {
    await widgets.unseen(async () => {
      await widgets.delete('a');
      await widgets.create('a');
    });
    await widgets.clock.advance(LOOK_MS);
    expect(widgets.changes.slice(2)).toEqual(['DELETED a (list)', 'ADDED a (list)']);
  });

  test('many objects lists again, once', async () => {
    await widgets.unseen(async () => {
      for (let index = 0; index < 21; index++) await widgets.create(`w${index}`);
    });
    await widgets.clock.advance(LOOK_MS);
    expect(widgets.names).toHaveLength(23);
    expect(widgets.healed).toEqual([21]);
    expect(widgets.restarts).toEqual(['diverged']);
    expect(widgets.cluster.watches.map(({ options }) => options.initialEvents)).toEqual([
      true,
      true,
    ]);
    await widgets.clock.advance(2 * LOOK_MS);
    expect(widgets.healed).toEqual([21]);
  });

  test('that an object has left the selection loses it', async () => {
    await widgets.stop();
    await started({ labelSelector: 'team=blue' });
    await widgets.unseen(() => widgets.label('a', 'red'));
    await widgets.clock.advance(LOOK_MS);
    expect(widgets.names).toEqual(['b']);
  });

  test('nothing is asked one request in ten minutes', async () => {
    await widgets.stop();
    widgets = new WatchedWidgets();
    await widgets.start();
    const listed = widgets.cluster.lists.length;
    await widgets.clock.advance(601_000);
    expect(widgets.cluster.lists.length - listed).toBe(1);
    expect(widgets.healed).toEqual([]);
  });
});

describe('a look at a cache', () => {
  test('leaves alone what is newer than its list, and what the watch tells meanwhile', async () => {
    const stale = await widgets.cluster.list(WIDGET);
    await widgets.create('c');
    await widgets.change('a', 'new');
    await widgets.clock.settle();
    widgets.cluster.staleLists.push(stale);
    const gets: string[] = [];
    const get = widgets.cluster.get.bind(widgets.cluster);
    widgets.cluster.get = (type, key) => (gets.push(key.name), get(type, key));
    await widgets.clock.advance(LOOK_MS);
    expect(gets).toEqual([]);
    expect(widgets.names).toEqual(['a', 'b', 'c']);
    expect(widgets.healed).toEqual([]);
  });

  test('gives the watch time for what is under way', async () => {
    const made = widget('late', { uid: 'u', resourceVersion: '9' });
    const { items } = await widgets.cluster.list(WIDGET);
    widgets.cluster.staleLists.push({ items: [...items, made], resourceVersion: '9' });
    await widgets.clock.advance(EVERY_MS + 1_000);
    widgets.cluster.watches.at(-1)?.send({ type: 'ADDED', object: made });
    await widgets.clock.advance(5_000);
    expect(widgets.changes.slice(2)).toEqual(['ADDED late (watch)']);
    expect(widgets.healed).toEqual([]);
  });

  test('finds alive what an earlier list had wrongly left out', async () => {
    const [first] = (await widgets.cluster.list(WIDGET)).items;
    const wrong = { ...widget('a', { ...first?.metadata, resourceVersion: '3' }) };
    widgets.cluster.watches.at(-1)?.send({ type: 'DELETED', object: wrong });
    await widgets.clock.settle();
    expect(widgets.names).toEqual(['b']);
    // The world moves on, so that a list is newer than the wrong news.
    for (const name of ['c', 'd']) await widgets.create(name);
    await widgets.clock.advance(LOOK_MS);
    expect(widgets.names.toSorted()).toEqual(['a', 'b', 'c', 'd']);
    expect(widgets.healed).toEqual([1]);
  });

  test('that fails is told, and the next one comes', async () => {
    widgets.cluster.listErrors.push(new Error('refused'));
    await widgets.unseen(() => widgets.create('c'));
    await widgets.clock.advance(LOOK_MS);
    expect(widgets.errors).toEqual([{ error: new Error('refused'), retryInMs: EVERY_MS }]);
    await widgets.clock.advance(LOOK_MS);
    expect(widgets.names).toContain('c');
  });

  test('never comes where it is turned off', async () => {
    await widgets.stop();
    await started({ verifyMs: 0 });
    await widgets.clock.advance(3_600_000);
    expect(widgets.cluster.lists).toEqual([]);
  });
});
