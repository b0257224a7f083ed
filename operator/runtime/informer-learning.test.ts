import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiError } from './cluster.ts';
import { removeFinalizer } from './finalizers.ts';
import { Informers } from './informers.ts';
import { CONFIG_MAP } from './kubernetes-types.ts';
import { withoutWriters } from './slim-object.ts';
import { configMap, WIDGET } from './testing/objects.ts';
import { WatchedWidgets } from './testing/watched-widgets.ts';

const BY = { fieldManager: 'test' };
const FINALIZER = 'example.io/clean-up';

let widgets: WatchedWidgets;
const versionOf = (name: string) => widgets.cached(name)?.metadata.resourceVersion;

beforeEach(() => {
  widgets = new WatchedWidgets();
});

afterEach(async () => {
  expect(await widgets.stop()).toEqual({ streams: 0, nextTimer: undefined });
});

describe('a cache that has learned a write of our own', () => {
  test('never shows that object as it was before, whatever comes in late', async () => {
    const first = await widgets.create('a');
    const stale = await widgets.cluster.list(WIDGET);
    await widgets.start();
    await widgets.unseen(() => widgets.change('a', 'theirs'));
    const ours = await widgets.change('a', 'ours');
    widgets.informer.learn(ours);
    expect(versionOf('a')).toBe('3');
    const late = [
      () => widgets.cluster.watches.at(-1)?.send({ type: 'MODIFIED', object: first }),
      () => widgets.informer.learn(first),
      () => {
        widgets.cluster.staleLists.push(stale);
        widgets.cluster.watchErrors.push(new ApiError(410, 'Expired', 'too old'));
        widgets.cut();
      },
    ];
    for (const news of late) {
      news();
      await widgets.clock.advance(5_000);
      expect(versionOf('a')).toBe('3');
    }
    expect(widgets.changes).toEqual(['ADDED a (list)', 'MODIFIED a (write)']);
  });

  test('keeps what we made when a list from before has not got it', async () => {
    const stale = await widgets.cluster.list(WIDGET);
    await widgets.start();
    await widgets.unseen(async () => widgets.informer.learn(await widgets.create('a')));
    widgets.cluster.staleLists.push(stale);
    widgets.cluster.watchErrors.push(new ApiError(410, 'Expired', 'too old'));
    widgets.cut();
    await widgets.clock.advance(5_000);
    expect(widgets.changes).toEqual(['ADDED a (write)']);
  });

  test('keeps an object that we took back when the news that it had left comes late', async () => {
    widgets = new WatchedWidgets({ labelSelector: 'team=blue' });
    await widgets.create('a', { labels: { team: 'blue' } });
    await widgets.start();
    const left = await widgets.label('a', 'red');
    widgets.informer.learn(await widgets.label('a', 'blue'));
    expect(versionOf('a')).toBe('3');
    widgets.cluster.watches.at(-1)?.send({ type: 'DELETED', object: left });
    await widgets.clock.settle();
    expect(versionOf('a')).toBe('3');
  });
});

describe('the answer to a deletion', () => {
  test('that is complete takes the object out at once, and nothing late revives it', async () => {
    const made = await widgets.create('a');
    await widgets.start();
    const { informer, cluster } = widgets;
    informer.learnDeleted(made, await widgets.delete('a'));
    expect(widgets.names).toEqual([]);
    cluster.watches.at(-1)?.send({
      type: 'MODIFIED',
      object: { ...made, metadata: { ...made.metadata, resourceVersion: '9' } },
    });
    informer.learn(made);
    await widgets.clock.settle();
    expect(widgets.names).toEqual([]);
    expect(widgets.changes).toEqual(['ADDED a (list)', 'DELETED a (write)']);
  });

  test('that waits for a finalizer is an update, and the finalizer taken off ends it', async () => {
    const made = await widgets.create('a', { finalizers: [FINALIZER] });
    await widgets.start();
    const { informer, cluster } = widgets;
    informer.learnDeleted(made, await widgets.delete('a'));
    expect(widgets.cached('a')?.metadata.deletionTimestamp).toBeTruthy();
    const patch = removeFinalizer(made, FINALIZER);
    const key = { namespace: 'team', name: 'a' };
    informer.learnDeleted(made, await cluster.patch(WIDGET, key, patch, BY));
    expect(widgets.names).toEqual([]);
    await widgets.clock.settle();
    expect(widgets.changes).toEqual(['ADDED a (list)', 'MODIFIED a (write)', 'DELETED a (write)']);
  });

  test('with a grace period is an update', async () => {
    const made = await widgets.create('a');
    await widgets.start();
    const metadata = { ...made.metadata, resourceVersion: '7', deletionTimestamp: 'now' };
    const dying = { ...made, metadata: { ...metadata, deletionGracePeriodSeconds: 30 } };
    widgets.informer.learnDeleted(made, dying);
    expect(versionOf('a')).toBe('7');
  });

  test('does not touch another object that has taken the name', async () => {
    const made = await widgets.create('a');
    await widgets.start();
    await widgets.delete('a');
    await widgets.create('a');
    await widgets.clock.settle();
    widgets.informer.learnDeleted(made, undefined);
    expect(widgets.names).toEqual(['a']);
  });
});

describe('the informers of a process', () => {
  const informersOf = (): Informers =>
    new Informers({
      cluster: widgets.cluster,
      clock: widgets.clock,
      random: () => 0,
      metrics: { restarted: () => undefined, cached: () => undefined },
      onError: () => undefined,
      onListenerError: () => undefined,
    });

  test('hold a resource whole and as metadata side by side, and teach both', async () => {
    const informers = informersOf();
    const whole = informers.of(WIDGET);
    const slim = informers.of(WIDGET, undefined, { metadataOnly: true, keep: withoutWriters });
    expect(informers.of(WIDGET, undefined, { metadataOnly: true })).toBe(slim);
    const made = await widgets.create('a');
    informers.learn(WIDGET, made);
    expect(whole.cache.list()).toEqual([made]);
    const { managedFields: _writers, ...metadata } = made.metadata;
    expect(slim.cache.list()).toEqual([{ apiVersion: 'example.io/v1', kind: 'Widget', metadata }]);
    informers.learnDeleted(WIDGET, made, undefined);
    expect([whole.cache.size, slim.cache.size]).toEqual([0, 0]);
  });

  test('tell the age of each resource, the worst of its caches', async () => {
    const informers = informersOf();
    informers.of(WIDGET);
    informers.of(CONFIG_MAP);
    const stop = new AbortController();
    informers.start(stop.signal);
    await widgets.clock.advance(10_000);
    await widgets.cluster.create(CONFIG_MAP, configMap('a'), BY);
    await widgets.clock.advance(5_000);
    expect(informers.ages()).toEqual([
      { resource: 'widgets', seconds: 15 },
      { resource: 'configmaps', seconds: 5 },
    ]);
    stop.abort();
    await informers.stopped();
  });
});
