import { describe, expect, test } from '@jest/globals';
import { replicasAt, routesAt, weightAt, type Step } from './step-plan.ts';

describe('the weight', () => {
  const steps: Step[] = [
    { pause: { durationMs: 1000 } },
    { setWeight: 10 },
    { analysis: {} },
    { setWeight: 50 },
    { pause: {} },
  ];

  test.each([
    [-1, 0],
    [0, 0],
    [1, 10],
    [2, 10],
    [3, 50],
    [4, 50],
    [5, 100],
    [9, 100],
  ])('at step %d is %d %%', (index, weight) => {
    expect(weightAt(steps, index)).toBe(weight);
  });

  test('is 100 % where there are no steps', () => {
    expect(weightAt([], 0)).toBe(100);
  });
});

describe("the candidate's replicas by weight", () => {
  // The first five: examples at CalculateReplicaCountsForCanary in utils/replicaset/canary.go of
  // Argo Rollouts, as far as the new version goes.
  test.each([
    [10, 10, 1],
    [10, 30, 3],
    [10, 5, 1],
    [1, 5, 1],
    [1, 95, 1],
    [3, 50, 2],
    [4, 100, 4],
    [4, 0, 0],
    [100, 7, 7],
    [0, 10, 1],
  ])('of %d pods with %d %% are %d', (stable, setWeight, replicas) => {
    expect(replicasAt([{ setWeight }], 0, stable)).toBe(replicas);
  });

  test('are all of them after the last step', () => {
    expect(replicasAt([{ setCanaryScale: { replicas: 1 } }], 1, 5)).toBe(5);
  });

  test('are one where only a mirror or a header leads there', () => {
    expect(replicasAt([{ setMirrorRoute: { name: 'copy', percentage: 20 } }], 0, 5)).toBe(1);
    const match = [{ headerName: 'x-beta', exact: 'yes' }];
    expect(replicasAt([{ setHeaderRoute: { name: 'beta', match } }], 0, 5)).toBe(1);
  });
});

describe('setCanaryScale', () => {
  test('scales apart from the traffic, until it matches it again', () => {
    const steps: Step[] = [
      { setWeight: 20 },
      { setCanaryScale: { weight: 60 } },
      { setCanaryScale: { replicas: 8 } },
      { setCanaryScale: { matchTrafficWeight: true } },
    ];
    expect([0, 1, 2, 3].map((index) => replicasAt(steps, index, 5))).toEqual([1, 3, 8, 1]);
  });

  test('brings pods before there is traffic, and none when it says none', () => {
    expect(replicasAt([{ setCanaryScale: { weight: 1 } }], 0, 5)).toBe(1);
    expect(replicasAt([{ setCanaryScale: { replicas: 0 } }], 0, 5)).toBe(0);
    expect(replicasAt([{ setCanaryScale: { weight: 0 } }], 0, 5)).toBe(0);
  });

  test('never takes the last pod from traffic', () => {
    const steps: Step[] = [{ setWeight: 20 }, { setCanaryScale: { replicas: 0 } }];
    expect(replicasAt(steps, 1, 5)).toBe(1);
  });

  test('by weight is never more than the stable pods', () => {
    expect(replicasAt([{ setCanaryScale: { weight: 150 } }], 0, 4)).toBe(4);
  });
});

describe('routes beside the weights', () => {
  const beta = { name: 'beta', match: [{ headerName: 'x-beta', exact: 'yes' }] };
  const gamma = { name: 'beta', match: [{ headerName: 'x-gamma', prefix: 'y' }] };
  const steps: Step[] = [
    { setMirrorRoute: { name: 'copy', percentage: 20 } },
    { setHeaderRoute: beta },
    { setMirrorRoute: { name: 'copy', percentage: 50 } },
    { setHeaderRoute: gamma },
    { setMirrorRoute: { name: 'copy', percentage: 0 } },
    { setHeaderRoute: { name: 'beta' } },
    { setHeaderRoute: beta },
    { setHeaderRoute: { name: 'beta', match: [] } },
    { setHeaderRoute: beta },
  ];

  test.each([
    [-1, [], []],
    [0, [20], []],
    [1, [20], [beta]],
    [2, [50], [beta]],
    [3, [50], [gamma]],
    [4, [], [gamma]],
    [5, [], []],
    [6, [], [beta]],
    [7, [], []],
    [8, [], [beta]],
    [9, [], []],
  ])('at step %d', (index, percentages, headers) => {
    const routes = routesAt(steps, index);
    expect(routes.mirrors).toEqual(percentages.map((percentage) => ({ name: 'copy', percentage })));
    expect(routes.headers).toEqual(headers);
  });
});
