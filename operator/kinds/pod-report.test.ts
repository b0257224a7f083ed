import { describe, expect, test } from '@jest/globals';

import type { ContainerState, Pod } from './kubernetes-objects.ts';
import { runtimeReport, troubleOf } from './pod-report.ts';

const podWith = (state: ContainerState, status: Pod['status'] = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'train-x' },
  status: { containerStatuses: [{ name: 'train', state }], ...status },
});

describe('what is wrong with a pod', () => {
  test.each([
    [{ running: {} }, undefined],
    [{ waiting: { reason: 'ContainerCreating' } }, undefined],
    [{ waiting: { reason: 'PodInitializing' } }, undefined],
    [{ terminated: { exitCode: 0 } }, undefined],
    [
      { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } },
      'container train waits: ImagePullBackOff: no such image',
    ],
    [
      { terminated: { exitCode: 137, reason: 'OOMKilled' } },
      'container train ended with OOMKilled, exit code 137',
    ],
    [{ terminated: { exitCode: 1 } }, 'container train ended with Error, exit code 1'],
  ])('in state %j', (state, want) => {
    expect(troubleOf(podWith(state))).toBe(want);
  });

  test('is that no node has room', () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' },
    ];
    expect(troubleOf(podWith({}, { conditions }))).toBe(
      'pod train-x cannot be scheduled: 0/1 nodes are available',
    );
  });

  test('is that it was evicted', () => {
    expect(troubleOf(podWith({}, { phase: 'Failed', reason: 'Evicted' }))).toBe(
      'pod train-x failed: Evicted',
    );
  });

  test('is not what an ordinary program left as its last words', () => {
    expect(
      runtimeReport(podWith({ terminated: { exitCode: 1, message: 'boom' } })),
    ).toBeUndefined();
  });
});
