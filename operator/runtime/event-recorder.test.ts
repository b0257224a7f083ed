import { beforeEach, describe, expect, test } from '@jest/globals';
import { EventRecorder } from './event-recorder.ts';
import { EVENT } from './kubernetes-types.ts';
import { MemoryCluster } from './memory-cluster.ts';
import type { KubernetesObject } from './resource-type.ts';
import { widget } from './testing/objects.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

type Recorded = KubernetesObject & { readonly note: string; readonly reason: string };

let clock: VirtualClock;
let cluster: MemoryCluster;
let errors: unknown[];
let recorder: EventRecorder;
const object = widget('w', { uid: 'u1' });
const event = { type: 'Normal', reason: 'Ready', message: 'all is well' } as const;
const recorded = async (): Promise<readonly Recorded[]> =>
  (await cluster.list<Recorded>(EVENT)).items;

beforeEach(() => {
  clock = new VirtualClock();
  cluster = new MemoryCluster(clock);
  errors = [];
  recorder = new EventRecorder({
    cluster,
    clock,
    instance: 'pod-1',
    onError: (error) => errors.push(error),
  });
});

describe('events', () => {
  test('stand beside the object they tell of', async () => {
    await recorder.record(object, event);
    expect(await recorded()).toEqual([
      expect.objectContaining({
        apiVersion: 'events.k8s.io/v1',
        reason: 'Ready',
        note: 'all is well',
        type: 'Normal',
        reportingInstance: 'pod-1',
        eventTime: '2026-01-01T00:00:00.000000Z',
        regarding: expect.objectContaining({ kind: 'Widget', name: 'w', uid: 'u1' }),
        metadata: expect.objectContaining({ namespace: 'team' }),
      }),
    ]);
  });

  test('are not repeated for ten minutes, each for itself', async () => {
    await recorder.record(object, event);
    await recorder.record(object, event);
    await recorder.record(widget('other', { uid: 'u2' }), event);
    expect(await recorded()).toHaveLength(2);
    await clock.advance(600_000);
    await recorder.record(object, event);
    expect(await recorded()).toHaveLength(3);
  });

  test('are cut to a kilobyte of UTF-8, between characters', async () => {
    await recorder.record(object, { ...event, message: 'ä'.repeat(2_000) });
    const [first] = await recorded();
    expect(first?.note).toMatch(/^ä+…$/);
    expect(Buffer.byteLength(first?.note ?? '')).toBeLessThanOrEqual(1024);
    expect(Buffer.byteLength(first?.note ?? '')).toBeGreaterThan(1000);
  });

  test('have valid names, however long the object’s is and wherever it is cut', async () => {
    const name = `${'a'.repeat(198)}-.${'b'.repeat(50)}`;
    await recorder.record(widget(name, { uid: 'u3' }), event);
    const [first] = await recorded();
    expect(first?.metadata.name).toMatch(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    );
    expect(first?.metadata.name.length).toBeLessThanOrEqual(253);
  });

  test('that cannot be written are only reported, and may be told again', async () => {
    const create = cluster.create.bind(cluster);
    cluster.create = () => Promise.reject(new Error('namespace is terminating'));
    await recorder.record(object, event);
    expect(errors).toEqual([new Error('namespace is terminating')]);
    cluster.create = create;
    await recorder.record(object, event);
    expect(await recorded()).toHaveLength(1);
  });

  test('are written two at a time, so that calls of passes come first', async () => {
    let open = 0;
    let most = 0;
    const create = cluster.create.bind(cluster);
    cluster.create = async (...args: Parameters<typeof create>) => {
      most = Math.max(most, (open += 1));
      await clock.settle();
      open -= 1;
      return create(...args) as never;
    };
    await Promise.all(
      Array.from({ length: 6 }, (_each, index) =>
        recorder.record(object, { ...event, message: `message ${index}` }),
      ),
    );
    expect(most).toBe(2);
    expect(await recorded()).toHaveLength(6);
  });

  test('that cannot be written in time are dropped at the end, and counted', async () => {
    cluster.create = () => new Promise(() => undefined);
    for (let index = 0; index < 5; index++)
      void recorder.record(object, { ...event, message: `message ${index}` });
    const drained = recorder.drain(500);
    await clock.advance(500);
    await drained;
    expect(errors).toEqual([new Error('3 Events were not written before the end')]);
  });
});
