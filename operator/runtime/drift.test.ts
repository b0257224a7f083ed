import { describe, expect, test } from '@jest/globals';
import { MetadataDrift, needsWrite } from './drift.ts';
import type { KubernetesObject } from './resource-type.ts';

const APPLIED = 'mlops.pynomaly.io/applied';

type Writer = NonNullable<KubernetesObject['metadata']['managedFields']>[number];

const ours: Writer = { manager: 'us', operation: 'Apply', time: '2026-01-01T00:00:05Z' };

type WithSpec = KubernetesObject & { readonly spec?: unknown };

const metadataOf = (applied: string, writers: readonly Writer[] = [ours]): WithSpec => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', annotations: { [APPLIED]: applied }, managedFields: writers },
});

const wanted: WithSpec = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', annotations: { [APPLIED]: 'f1' } },
  spec: { ports: [80] },
};

describe('a child that is cached whole', () => {
  test('needs a write when a field of ours is another', () => {
    const edited: WithSpec = { ...metadataOf('f1'), spec: { ports: [81] } };
    const defaulted: WithSpec = { ...edited, spec: { ports: [80], type: 'ClusterIP' } };
    expect([needsWrite(edited, wanted), needsWrite(defaulted, wanted)]).toEqual([true, false]);
  });

  test('needs a write when we mean something else now, though nothing of it is missing', () => {
    const before: WithSpec = { ...metadataOf('f0'), spec: { ports: [80] } };
    expect(needsWrite(before, wanted)).toBe(true);
  });
});

describe('a child of which only metadata are cached', () => {
  const check = (live: KubernetesObject): boolean =>
    new MetadataDrift('us').mayNeedWrite(live, wanted);

  test('is left alone when we wrote last, and this', () => {
    expect(check(metadataOf('f1'))).toBe(false);
    const status = { ...ours, manager: 'controller', subresource: 'status', time: '2027-01-01' };
    expect(check(metadataOf('f1', [ours, status]))).toBe(false);
    const earlier = { manager: 'kubectl', operation: 'Update', time: '2026-01-01T00:00:04Z' };
    expect(check(metadataOf('f1', [earlier, ours]))).toBe(false);
  });

  test('is written when we mean something else now', () => {
    expect(check(metadataOf('f0'))).toBe(true);
  });

  test('is looked at when someone wrote after us, or in the same second', () => {
    for (const time of ['2026-01-01T00:00:06Z', ours.time])
      expect(
        check(
          metadataOf('f1', [
            ours,
            { manager: 'kubectl', operation: 'Update', ...(time && { time }) },
          ]),
        ),
      ).toBe(true);
  });

  test('is looked at when we never applied it', () => {
    expect(check(metadataOf('f1', []))).toBe(true);
    expect(check(metadataOf('f1', [{ ...ours, operation: 'Update' }]))).toBe(true);
  });

  test('is written when its label or owner was taken from it', () => {
    const labelled = { ...wanted, metadata: { ...wanted.metadata, labels: { a: 'b' } } };
    expect(new MetadataDrift('us').mayNeedWrite(metadataOf('f1'), labelled)).toBe(true);
  });

  test('is looked at once only, until it changes', () => {
    const drift = new MetadataDrift('us');
    const live = metadataOf('f1', []);
    drift.learn(live, { ...live });
    expect(drift.mayNeedWrite(live, wanted)).toBe(false);
    expect(drift.mayNeedWrite({ ...live }, wanted)).toBe(true);
  });
});
