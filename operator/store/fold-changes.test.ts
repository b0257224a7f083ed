import { describe, expect, test } from '@jest/globals';
import { type Change, type NewAuditRow, foldChanges } from './fold-changes.ts';
import { type ResourceState, resourceState } from './resource-state.ts';
import { type ObjectParts, anObject, readyStatus, wrote } from './testing/objects.ts';

const AT = '2026-02-01T12:00:00.000Z';
const seen = (parts: ObjectParts, type: Change['type'] = 'upsert', gap = false): Change => ({
  type,
  gap,
  state: resourceState(anObject(parts), AT),
});
const stored = (...states: readonly ResourceState[]): ReadonlyMap<string, ResourceState> =>
  new Map(states.map((state) => [state.row.uid, state]));
const auditOf = (before: ObjectParts | undefined, ...changes: readonly Change[]) =>
  foldChanges(before ? stored(resourceState(anObject(before), AT)) : new Map(), changes).audit;
const told = ({ operation, gap, fieldManager, requestedBy }: NewAuditRow) =>
  [operation, ...(gap ? ['gap'] : []), fieldManager ?? '?', requestedBy ?? '?'].join(' ');

const KUBECTL = wrote('kubectl', '2026-02-01T10:00:00Z');
const API = wrote('mlops-api', '2026-02-01T11:00:00Z');
const FOR_ANN = { 'mlops.pynomaly.io/requested-by': 'ann' };

describe('the audit row of a change', () => {
  test('of a creation names the manager, and the user when the API wrote', () => {
    expect(auditOf(undefined, seen({ writers: [KUBECTL] })).map(told)).toEqual([
      'created kubectl ?',
    ]);
    const byApi = auditOf(undefined, seen({ writers: [API], annotations: FOR_ANN }));
    expect(byApi.map(told)).toEqual(['created mlops-api ann']);
    expect(byApi[0]).toMatchObject({ uid: 'uid-demo-digits', generation: 1, observedAt: AT });
    expect(byApi[0]?.beforeHash).toBeUndefined();
    expect(byApi[0]?.afterHash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('of an update holds the hashes before and after', () => {
    const before = { spec: { owner: 'a' } };
    const [created] = auditOf(undefined, seen(before));
    const [updated] = auditOf(before, seen({ version: 2, generation: 2, spec: { owner: 'b' } }));
    expect(updated?.operation).toBe('updated');
    expect(updated?.beforeHash).toBe(created?.afterHash);
    expect(updated?.afterHash).not.toBe(created?.afterHash);
  });

  test('of a change of labels or annotations is an update too', () => {
    for (const change of [{ labels: { a: 'b' } }, { annotations: { a: 'b' } }])
      expect(auditOf({}, seen({ version: 2, ...change }))[0]?.operation).toBe('updated');
  });

  test('names the manager whose entry moved', () => {
    const later = wrote('kubectl', '2026-02-01T12:00:00Z');
    const before = { writers: [KUBECTL, API], annotations: FOR_ANN };
    const change = { version: 2, spec: { a: 1 }, annotations: FOR_ANN };
    expect(auditOf(before, seen({ ...change, writers: [later, API] })).map(told)).toEqual([
      'updated kubectl ?',
    ]);
  });

  test('never takes an old annotation for the user of another door', () => {
    const forged = { version: 2, annotations: FOR_ANN, writers: [API, KUBECTL] };
    expect(auditOf({ writers: [API] }, seen(forged)).map(told)).toEqual(['updated kubectl ?']);
  });

  test('names nobody when two entries moved, or none', () => {
    const both = { version: 2, spec: { a: 1 }, writers: [KUBECTL, API] };
    expect(auditOf({}, seen(both)).map(told)).toEqual(['updated ? ?']);
    const before = { spec: { a: 1 }, writers: [API], annotations: FOR_ANN };
    const removedOnly = { version: 2, writers: [API], annotations: FOR_ANN };
    expect(auditOf(before, seen(removedOnly)).map(told)).toEqual(['updated ? ?']);
  });

  test('of a status names its controller, also for a second write within a second', () => {
    const operator = wrote('mlops-model', '2026-02-01T11:00:00Z', 'status');
    const before = { writers: [API, operator], annotations: FOR_ANN };
    const after = { ...before, version: 2, status: readyStatus('True') };
    expect(auditOf(before, seen(after)).map(told)).toEqual(['status mlops-model ?']);
  });

  test('is two rows when one observation shows a user change and a status', () => {
    const operator = wrote('mlops-model', '2026-02-01T11:00:00Z', 'status');
    const after = { version: 3, spec: { a: 1 }, status: readyStatus('True') };
    const rows = auditOf({}, seen({ ...after, generation: 2, writers: [KUBECTL, operator] }));
    expect(rows.map(told)).toEqual(['updated kubectl ?', 'status mlops-model ?']);
  });

  test('is a gap when generations were skipped', () => {
    const after = { version: 9, generation: 4, spec: { a: 1 }, writers: [KUBECTL] };
    expect(auditOf({}, seen(after)).map(told)).toEqual(['updated gap ? ?']);
  });

  test('is one gap an object for whatever a list shows, and blames nobody', () => {
    const after = { version: 9, spec: { a: 1 }, status: readyStatus('True'), writers: [KUBECTL] };
    expect(auditOf({}, seen(after, 'upsert', true)).map(told)).toEqual(['updated gap ? ?']);
    expect(auditOf(undefined, seen(after, 'upsert', true)).map(told)).toEqual(['created gap ? ?']);
    expect(auditOf(after, seen(after, 'delete', true)).map(told)).toEqual(['deleted gap ? ?']);
  });

  test('of a deletion keeps the last hash and names nobody', () => {
    const [row] = auditOf({ writers: [API] }, seen({ writers: [API] }, 'delete'));
    expect(row && told(row)).toBe('deleted ? ?');
    expect(row?.beforeHash).toMatch(/^[0-9a-f]{64}$/);
    expect(row?.afterHash).toBeUndefined();
  });
});

describe('no audit row', () => {
  test.each([
    ['for the same version again', { version: 1, spec: { a: 1 } }],
    ['for an older version', { version: 0, spec: { a: 1 } }],
    ['for a new version of the same content', { version: 2 }],
    [
      'for a heartbeat',
      { version: 2, status: { observedGeneration: 7, a: [{ lastProbeTime: 'now' }] } },
    ],
  ])('%s', (_what, parts) => {
    expect(auditOf({ status: { a: [{}] } }, seen({ status: { a: [{}] }, ...parts }))).toEqual([]);
  });

  test('for a second deletion', () => {
    expect(auditOf({}, seen({}, 'delete'), seen({}, 'delete'))).toHaveLength(1);
  });

  test('for what arrives late of an object that is gone', () => {
    expect(auditOf({}, seen({}, 'delete'), seen({ version: 2, spec: { a: 1 } }))).toHaveLength(1);
  });
});

describe('the state', () => {
  test('is the last one, whatever came twice or late', () => {
    const changes = [
      seen({ version: 2 }),
      seen({ version: 12, spec: { a: 2 } }),
      seen({ version: 9 }),
    ];
    const { states } = foldChanges(new Map(), changes);
    expect(states.map(({ row }) => [row.resourceVersion, row.spec])).toEqual([['12', { a: 2 }]]);
  });

  test('moves on with a heartbeat although the audit says nothing', () => {
    const before = stored(resourceState(anObject(), AT));
    const { states } = foldChanges(before, [
      seen({ version: 2, status: { observedGeneration: 1 } }),
    ]);
    expect(states[0]?.row.status).toEqual({ observedGeneration: 1 });
  });

  test('of a deleted object stays, with the time', () => {
    const before = stored(resourceState(anObject({ version: 5, spec: { a: 1 } }), AT));
    const { states } = foldChanges(before, [seen({ version: 4 }, 'delete')]);
    expect(states[0]?.row).toMatchObject({ spec: { a: 1 }, deletedAt: AT });
  });

  test('comes back when a list shows the object after all, also at a lower version', () => {
    const { states, audit } = foldChanges(stored(resourceState(anObject({ version: 5 }), AT)), [
      seen({ version: 5 }, 'delete', true),
      seen({ version: 3, spec: { a: 1 } }, 'upsert', true),
    ]);
    expect(states[0]?.row.deletedAt).toBeUndefined();
    expect(audit.map(told)).toEqual(['deleted gap ? ?', 'created gap ? ?']);
  });
});
