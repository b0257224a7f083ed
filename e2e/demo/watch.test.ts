import { describe, expect, test } from '@jest/globals';

import { splitRef } from './install.ts';
import { ready, type Condition } from './watch.ts';

const anObject = (conditions: readonly Condition[], observedGeneration = 2) => ({
  metadata: { name: 'digits', generation: 2 },
  status: { observedGeneration, conditions },
});

describe('ready', () => {
  test('is done when Ready is True for the spec as it is now', () => {
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Serving', message: '1 pod' }];
    expect(ready(anObject(conditions))).toEqual({ done: true, state: 'Serving: 1 pod' });
  });

  test('does not believe what was said of an older spec', () => {
    const conditions = [
      { type: 'Ready', status: 'True', reason: 'Serving', message: '1 pod' },
      { type: 'Stalled', status: 'True', reason: 'QuotaExceeded', message: 'no' },
    ];
    expect(ready(anObject(conditions, 1)).done).toBe(false);
  });

  test('gives up on an object that only a change of its spec would help', () => {
    const conditions = [
      { type: 'Stalled', status: 'True', reason: 'QuotaExceeded', message: 'pods: 0 of 0 left' },
    ];
    expect(() => ready(anObject(conditions))).toThrow(
      'digits is stalled (QuotaExceeded): pods: 0 of 0 left',
    );
  });
});

describe('splitRef', () => {
  test('takes a reference apart as the chart wants it', () => {
    expect(splitRef('registry.example.com:5000/team/mlops-operator:1a2b')).toEqual({
      registry: 'registry.example.com:5000',
      repository: 'team/mlops-operator',
      tag: '1a2b',
    });
  });
});
