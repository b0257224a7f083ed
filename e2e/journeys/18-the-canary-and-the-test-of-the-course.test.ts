import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';

import { expectNoFailures, nextAnswers } from './harness/caller-log.ts';
import { applyExample, exampleDiff } from './harness/course.ts';
import { Gateway, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { at, listAt } from './harness/kubectl.ts';
import { operatorIsReady } from './harness/operator-pods.ts';
import { expectShare, givenRollout, type Rollout } from './harness/rollout.ts';
import { REPOSITORY } from './harness/settings.ts';
import { Tenant } from './harness/tenant.ts';

const MINUTES = 60_000;
const CANARY = '02-canary';
const AB_TEST = '03-ab-test';

let canary: Tenant;
let abTest: Tenant;
let gateway: Gateway;

/** The trainings of both take their time, so they run side by side. */
beforeAll(async () => {
  gateway = await Gateway.start();
  await operatorIsReady();
  canary = await Tenant.named('demo-canary');
  abTest = await Tenant.named('demo-abtest');
  for (const part of [CANARY, AB_TEST, `${CANARY}/without-istio`, `${CANARY}/callers`]) {
    await applyExample(part);
  }
  await abTest.awaits('experiment', 'digits-hasty', { type: 'Complete', status: 'True' });
  await applyExample(`${AB_TEST}/candidate`);
}, ISTIO_BUILD_MS);

afterAll(async () => {
  await gateway.close();
  await canary.abandon();
  await abTest.abandon();
}, 2 * MINUTES);

describe('A user applies the second example', () => {
  const given = (name: string): Rollout => givenRollout(canary, name);
  const byPods = 'digits-by-pods';

  test(
    'with a gateway and without, all callers reach the first version',
    async () => {
      await canary.awaits('experiment', 'digits-small', { type: 'Complete', status: 'True' });
      for (const name of ['digits', byPods]) await given(name).then.serves();
      for (const job of ['callers', 'callers-by-pods']) {
        expect(Object.keys((await nextAnswers(canary, job, 50)).byVersion)).toEqual(['1.0.0']);
      }
    },
    4 * MINUTES,
  );

  test(
    'the alias moves to the next version, which gets the shares of the steps at the gateway',
    async () => {
      await applyExample(`${CANARY}/next`);
      for (const weight of [20, 50]) {
        await given('digits').then.weightIs(weight);
        const { total, byVersion } = await nextAnswers(canary, 'callers', 150);
        expectShare({ total, byVariant: byVersion }, weight, '1.1.0');
      }
    },
    4 * MINUTES,
  );

  test(
    'where nobody routes, its share is that of its pods, and the status says so',
    async () => {
      await given(byPods).then.pausesAt(25);
      const routing = await canary.condition('modeldeployment', byPods, 'TrafficRouting');
      expect(routing).toMatchObject({ status: 'True', reason: 'ReplicaWeighted' });
      expect(routing?.message).toMatch(/split by the number of pods of each version/);
      const { total, byVersion } = await nextAnswers(canary, 'callers-by-pods', 200);
      expectShare({ total, byVariant: byVersion }, 25, '1.1.0');
      expect(await canary.get('virtualservice', byPods)).toBeUndefined();
    },
    4 * MINUTES,
  );

  test(
    'both wait for somebody, and say which command goes on; with it they end, and no request failed',
    async () => {
      for (const name of ['digits', byPods]) {
        const { message } = await canary.awaits('modeldeployment', name, {
          ...{ type: 'Ready', reason: 'RolloutPaused' },
        });
        const [, command = message] = /To go on: kubectl (annotate \S.*)$/.exec(message) ?? [];
        await canary.kubectl(...command.split(' '));
      }
      for (const name of ['digits', byPods]) {
        await given(name).then.serves();
        await given(name).then.candidateIsGone();
      }
      for (const job of ['callers', 'callers-by-pods']) {
        expect(Object.keys((await nextAnswers(canary, job, 50)).byVersion)).toEqual(['1.1.0']);
      }
      expectNoFailures(await canary.kubectl('logs', 'job/callers'));
      // Without a gateway nobody repeats a connection that the node's network refused; answers are all good.
      expect(await canary.kubectl('logs', 'job/callers-by-pods')).not.toMatch(/HTTP Error/);
      await canary.kubectl('delete', 'job', 'callers', 'callers-by-pods');
    },
    5 * MINUTES,
  );

  test('the steps of blue and green would be taken', async () => {
    const file = join(REPOSITORY, 'examples/02-canary/blue-green.yaml');
    const patch = ['--type=merge', '--patch-file', file, '--dry-run=server', '-o', 'json'];
    const said = await canary.kubectl('patch', 'modeldeployment', 'digits', ...patch);
    const { steps } = at(JSON.parse(said), 'spec.strategy.canary') as { steps: readonly object[] };
    expect(steps.map((step) => Object.keys(step)[0])).toEqual([
      ...['setCanaryScale', 'setHeaderRoute', 'pause', 'setWeight', 'pause'],
    ]);
  });

  test('the live objects do not differ from what was applied', async () => {
    expect(await exampleDiff(CANARY)).toEqual({ ok: true, stdout: '', stderr: '' });
  });
});

describe('A user applies the third example', () => {
  test(
    'visitors tell which version is right more often, and that one takes over',
    async () => {
      await abTest.awaits('abtest', 'careful', { type: 'Ready', reason: 'TestRunning' });
      await applyExample(`${AB_TEST}/visitors`);
      await abTest.awaits('abtest', 'careful', { type: 'Complete', status: 'True' }, 240);
      expect(at(await abTest.get('abtest', 'careful'), 'status.decision')).toBe('careful');
      const report = await abTest.kubectl('logs', 'job/visitors');
      expect(report).toMatch(/careful\s+\d+ users, 9\d% of the answers were right/);
      expect(report).toMatch(/control\s+\d+ users/);
      expect(at(await abTest.get('modelalias', 'digits-champion'), 'spec.version')).toBe('1.1.0');
      await abTest.until('version 1.1.0 to serve alone', 120, async () => {
        const found = await abTest.get('modeldeployment', 'digits');
        const weights = listAt(found, 'status.weights');
        return at(found, 'status.servedVersion') === '1.1.0' && weights.length === 1
          ? true
          : undefined;
      });
    },
    8 * MINUTES,
  );
});
