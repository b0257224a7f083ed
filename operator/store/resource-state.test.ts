import { describe, expect, test } from '@jest/globals';
import { canonicalJson } from './canonical-json.ts';
import { resourceState } from './resource-state.ts';
import { anObject, readyStatus } from './testing/objects.ts';

const AT = '2026-02-01T12:00:00.000Z';

describe('canonical JSON', () => {
  test('does not depend on the order of members', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'ü"' }], a: undefined })).toBe(
      '{"b":[1,{"c":"ü\\"","d":null}]}',
    );
    expect(canonicalJson([undefined, true])).toBe('[null,true]');
    expect(canonicalJson(undefined)).toBe('null');
  });
});

describe('the state of an object', () => {
  test('has its Ready condition in columns of its own', () => {
    const state = resourceState(
      anObject({ status: readyStatus('False', 'NoQuota', 'exceeded quota: tiny') }),
      AT,
    );
    expect(state.row).toMatchObject({
      ready: 'False',
      reason: 'NoQuota',
      message: 'exceeded quota: tiny',
      createdAt: '2026-01-01T00:00:00Z',
      updatedAt: AT,
    });
  });

  test.each([{}, { conditions: 'none' }, { conditions: [null, 3, { type: 'Other' }] }])(
    'is Unknown with status %j',
    (status) => {
      expect(resourceState(anObject({ status }), AT).row.ready).toBe('Unknown');
    },
  );

  test('can be found by name, labels, owner, description, tags and messages', () => {
    const { searchText } = resourceState(
      anObject({
        labels: { team: 'vision' },
        spec: {
          owner: 'ann@example.com',
          description: 'Handwritten',
          tags: { stage: 'candidate' },
        },
        status: readyStatus('False', 'NoQuota', 'exceeded quota'),
      }),
      AT,
    );
    for (const word of ['digits', 'vision', 'ann@example.com', 'Handwritten', 'candidate', 'quota'])
      expect(searchText).toContain(word);
  });

  test('holds nothing PostgreSQL refuses', () => {
    const { row, searchText } = resourceState(
      anObject({ spec: { description: 'a\u0000b\ud800', list: ['\u0000'], 'k\u0000': 1 } }),
      AT,
    );
    expect(row.spec).toEqual({ description: 'a\ufffdb\ufffd', list: ['\ufffd'], 'k\ufffd': 1 });
    expect(searchText.isWellFormed()).toBe(true);
  });

  test('cuts text that is too long to be searched', () => {
    const { searchText } = resourceState(anObject({ spec: { description: 'x'.repeat(1e6) } }), AT);
    expect(searchText.length).toBe(65_536);
  });

  test("leaves out kubectl's copy of the object", () => {
    const copied = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', a: 'b' };
    expect(resourceState(anObject({ annotations: copied }), AT).row.annotations).toEqual({
      a: 'b',
    });
  });

  test('stands also for an object with the least there can be', () => {
    const { row } = resourceState({ apiVersion: 'v1', kind: 'X', metadata: { name: 'a' } }, AT);
    expect(row).toMatchObject({ uid: '', namespace: '', spec: {}, status: {}, createdAt: AT });
  });
});
