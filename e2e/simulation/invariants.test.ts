import { describe, expect, test } from '@jest/globals';
import { LABELS } from '../../crds/schema/names.ts';
import { JOB, LEASE } from '../../operator/runtime/kubernetes-types.ts';
import type { KubernetesObject, ResourceType } from '../../operator/runtime/resource-type.ts';
import type { StoredChange } from './api-server.ts';
import * as invariants from './invariants.ts';
import * as rest from './rest.ts';
import { DEPLOYMENT, EXPERIMENT, MODEL_ALIAS, MODEL_VERSION } from './types.ts';

type Parts = {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
};

const anObject = (type: ResourceType, { metadata, ...parts }: Parts = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: type.kind,
  metadata: { name: 'x', namespace: 'demo', uid: 'uid-1', generation: 1, ...metadata },
  ...parts,
});

const added = (type: ResourceType, parts: Parts): StoredChange => ({
  type,
  what: 'ADDED',
  object: anObject(type, parts),
  before: undefined,
  version: 1,
});

const changed = (type: ResourceType, before: Parts, after: Parts): StoredChange => ({
  type,
  what: 'MODIFIED',
  object: anObject(type, after),
  before: anObject(type, before),
  version: 2,
});

const seenBy = (watch: () => invariants.Watchman, ...changes: readonly StoredChange[]) => {
  const watchman = watch();
  return changes.map((change) => watchman.see(change)).at(-1);
};

const READY = { conditions: [{ type: 'Ready', status: 'True' }] };
const version = (uid: string) => ({
  metadata: { uid, labels: { [LABELS.runId]: 'r' } },
  spec: { modelRef: { name: 'm' }, version: '1.0.0' },
  status: READY,
});

describe('an invariant finds', () => {
  test('a second Job for a trial', () => {
    const job = (uid: string) => added(JOB, { metadata: { uid, labels: { [LABELS.runId]: 'r' } } });
    expect(seenBy(invariants.oneJobPerTrial, job('uid-1'))).toBeUndefined();
    expect(seenBy(invariants.oneJobPerTrial, job('uid-1'), job('uid-2'))).toMatch(/second for r/);
  });

  test('a second version of a run, and two Ready objects of a version', () => {
    const [one, two] = [added(MODEL_VERSION, version('1')), added(MODEL_VERSION, version('2'))];
    expect(seenBy(invariants.oneVersionPerRun, one, two)).toMatch(/second for r/);
    expect(seenBy(invariants.oneReadyVersion, one, two)).toMatch(/so is another/);
    const gone = { ...one, what: 'DELETED' } as const;
    expect(seenBy(invariants.oneReadyVersion, one, gone, two)).toBeUndefined();
  });

  test('a digest that changes', () => {
    const change = changed(MODEL_VERSION, { status: { digest: 'a' } }, { status: { digest: 'b' } });
    expect(seenBy(invariants.digestStays, change)).toMatch(/had digest a and has b/);
  });

  test('weights that do not sum to 100', () => {
    const weights = (...shares: readonly number[]) =>
      added(DEPLOYMENT, { status: { weights: shares.map((weight) => ({ weight })) } });
    expect(seenBy(invariants.weightsSumTo100, weights(60, 30))).toMatch(/sum to 90/);
    expect(seenBy(invariants.weightsSumTo100, weights(60, 40))).toBeUndefined();
    expect(seenBy(invariants.weightsSumTo100, weights())).toBeUndefined();
  });

  test('a status about a spec that is not there yet', () => {
    const ahead = added(EXPERIMENT, { status: { observedGeneration: 2 } });
    expect(seenBy(invariants.generationsInOrder, ahead)).toMatch(/observed generation 2 of 1/);
  });

  test('a status about an earlier spec than the one before it', () => {
    const watchman = invariants.generationsInOrder();
    const observing = (observedGeneration: number) =>
      added(EXPERIMENT, { metadata: { generation: 3 }, status: { observedGeneration } });
    expect(watchman.see(observing(2))).toBeUndefined();
    expect(watchman.see(observing(3))).toBeUndefined();
    expect(watchman.see(observing(2))).toMatch(/observed generation 2 after 3/);
  });

  test('Ready that means an earlier spec', () => {
    const alias = added(MODEL_ALIAS, {
      spec: { version: '2.0.0' },
      status: { ...READY, observedGeneration: 1, version: '1.0.0' },
    });
    expect(seenBy(invariants.readyMeansThisSpec, alias)).toMatch(/at 1.0.0, not at 2.0.0/);
  });

  test('a status of an earlier object of the name', () => {
    const change = added(EXPERIMENT, { status: { currentOptimalTrial: { runId: 'other' } } });
    expect(seenBy(invariants.statusOfThisObject, change)).toMatch(/run other/);
  });

  test("somebody else's finalizer taken off", () => {
    const change = changed(
      EXPERIMENT,
      { metadata: { finalizers: ['example.com/hold'] } },
      { metadata: { managedFields: [{ manager: 'mlops-experiment' }] } },
    );
    expect(seenBy(invariants.foreignFinalizersStay, change)).toMatch(/lost example.com\/hold/);
  });

  test('an alias of ours that names no version', () => {
    const alias = added(MODEL_ALIAS, {
      metadata: { managedFields: [{ manager: 'mlops-experiment' }] },
      spec: { modelRef: { name: 'm' }, version: '1.0.0' },
    });
    expect(seenBy(invariants.aliasesNameVersions, alias)).toMatch(/names m 1.0.0/);
    const known = added(MODEL_VERSION, version('1'));
    expect(seenBy(invariants.aliasesNameVersions, known, alias)).toBeUndefined();
  });

  test('a Lease that changed hands uncounted', () => {
    const held = (holderIdentity: string) => ({ spec: { holderIdentity, leaseTransitions: 1 } });
    const change = changed(LEASE, held('a'), held('b'));
    expect(seenBy(invariants.leaseHandsAreCounted, change)).toMatch(/from a to b/);
  });

  test('a write of another than the leader', () => {
    const write = { identity: 'b', what: 'apply jobs x', plural: 'jobs' };
    expect(invariants.writerFault('a', write)).toBe('b wrote apply jobs x, while a held the Lease');
    expect(invariants.writerFault('b', write)).toBeUndefined();
    expect(invariants.writerFault('a', { ...write, plural: 'leases' })).toBeUndefined();
  });
});

describe('at rest, an invariant finds', () => {
  const world = (parts: Partial<rest.Rest> & { readonly only?: readonly KubernetesObject[] }) => ({
    objects: (type: ResourceType) =>
      (parts.only ?? []).filter(({ kind }) => kind === type.kind && type.version !== 'v1'),
    leaders: [],
    runs: [],
    files: [],
    end: '',
    cleanEnd: '',
    ...parts,
  });
  const leader = (parts: Partial<rest.Leader> = {}): rest.Leader => ({
    identity: 'a',
    debug: {},
    cached: () => [],
    ...parts,
  });

  test('nobody leading, or two', () => {
    expect(rest.oneLeads.faults(world({}))).toEqual(['0 replicas lead: ']);
    expect(rest.oneLeads.faults(world({ leaders: [leader(), leader()] }))).toHaveLength(1);
    expect(rest.oneLeads.faults(world({ leaders: [leader()] }))).toEqual([]);
  });

  test('what is still being deleted', () => {
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['f'] };
    const only = [anObject(EXPERIMENT, { metadata })];
    expect(rest.nothingIsHeld.faults(world({ only }))).toEqual([
      'Experiment x is still being deleted: f',
    ]);
  });

  test('a status that is about an earlier spec', () => {
    const only = [
      anObject(EXPERIMENT, { metadata: { generation: 2 }, status: { observedGeneration: 1 } }),
    ];
    expect(rest.statusIsCurrent.faults(world({ only }))).toEqual([
      'Experiment x has generation 2, its status is about 1',
    ]);
  });

  test('keys that wait, work or fail', () => {
    const queue = { ready: 0, active: [], delayed: 3, failing: [['demo/x', 2]] };
    const leaders = [leader({ debug: { experiment: queue } })];
    expect(rest.queuesAreEmpty.faults(world({ leaders }))).toHaveLength(1);
    const idle = [leader({ debug: { experiment: { ...queue, failing: [] } } })];
    expect(rest.queuesAreEmpty.faults(world({ leaders: idle }))).toEqual([]);
  });

  test('a cache that holds what is gone', () => {
    const cached = (type: ResourceType) =>
      type.kind === 'Experiment' ? [anObject(EXPERIMENT, {})] : [];
    expect(rest.cachesAreTrue.faults(world({ leaders: [leader({ cached })] }))).toEqual([
      'experiments: cached x@; real ',
    ]);
  });

  test('a Ready alias of a version that is not Ready', () => {
    const alias = anObject(MODEL_ALIAS, {
      spec: { modelRef: { name: 'm' }, version: '1.0.0' },
      status: READY,
    });
    expect(rest.aliasesAreTrue.faults(world({ only: [alias] }))).toHaveLength(1);
    const only = [alias, anObject(MODEL_VERSION, version('1'))];
    expect(rest.aliasesAreTrue.faults(world({ only }))).toEqual([]);
  });

  test('what outlives its owner', () => {
    const metadata = { ownerReferences: [{ uid: 'uid-gone' }] };
    const only = [anObject(MODEL_VERSION, { metadata })];
    const run = { runId: 'r', name: 'x-0', experiment: { uid: 'uid-gone' }, status: 'FINISHED' };
    const runs = [run] as unknown as rest.Rest['runs'];
    const files = ['demo/runs/other/artifacts/model.onnx'];
    expect(rest.nothingIsOrphaned.faults(world({ only, runs, files }))).toEqual([
      'ModelVersion x has no owner any more',
      'run x-0 is left of an Experiment that is gone',
      'file demo/runs/other/artifacts/model.onnx is left of a run that is gone',
    ]);
  });

  test('a run without an end', () => {
    const runs = [{ name: 'x-0', status: 'RUNNING' }] as unknown as rest.Rest['runs'];
    expect(rest.runsAreTrue.faults(world({ runs }))).toHaveLength(1);
  });

  test('an end that is another than without faults', () => {
    const ends = { cleanEnd: 'a: 1\nb: 2', end: 'a: 1\nb: 3' };
    expect(rest.endsAsTheCleanRun.faults(world(ends))).toHaveLength(1);
    expect(rest.endsAsTheCleanRun.faults(world({ ...ends, end: ends.cleanEnd }))).toEqual([]);
  });
});
