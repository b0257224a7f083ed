import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, listAt, textAt } from './harness/kubectl.ts';
import { killOperator, operatorIsReady, replaceOperatorPods } from './harness/operator-pods.ts';
import { REPOSITORY } from './harness/settings.ts';
import { Tenant } from './harness/tenant.ts';
import { digitsSearch, nodesThatMeet, optunaScript } from './harness/trainings.ts';

const MINUTES = 60_000;
const SEARCH = 'digits-search';

let tenant: Tenant;

beforeAll(async () => {
  await operatorIsReady();
  tenant = await Tenant.named('journey-final');
  await tenant.apply(digitsSearch(SEARCH, { trials: 2, retrain: {} }));
}, 3 * MINUTES);

afterAll(async () => {
  await operatorIsReady();
  await tenant.abandon();
}, 3 * MINUTES);

describe('A search trains once more on the best parameters', () => {
  test(
    'though the operator is killed meanwhile, and that training becomes the version',
    async () => {
      await tenant.until('the final training to run', 240, async () => {
        const found = await tenant.get('experiment', SEARCH);
        return at(found, 'status.finalTraining.state') === 'Running' ? true : undefined;
      });
      expect(await killOperator()).toBeGreaterThan(0);
      await replaceOperatorPods();
      await tenant.awaits('experiment', SEARCH, { type: 'Complete', status: 'True' }, 240);
      const status = at(await tenant.get('experiment', SEARCH), 'status');
      expect(at(status, 'trials')).toBe(2);
      expect(at(status, 'finalTraining')).toMatchObject({
        ...{ trialName: `${SEARCH}-final`, state: 'Succeeded', attempts: 1 },
      });
      const version = await tenant.get('modelversion', 'digits-1.0.0');
      expect(textAt(version, 'spec.source.runId')).toBe(textAt(status, 'finalTraining.runId'));
    },
    10 * MINUTES,
  );

  test('the version says what it was made with, and the search its story', async () => {
    const version = await tenant.get('modelversion', 'digits-1.0.0');
    const best = at(
      await tenant.get('experiment', SEARCH),
      'status.currentOptimalTrial.parameterAssignments',
    );
    expect(at(version, 'spec.source.parameters')).toEqual(best);
    expect(at(version, 'spec.source.seed')).toBe('7');
    expect(textAt(version, 'spec.source.image')).toMatch(/sha256:[0-9a-f]{64}$/);
    expect(await tenant.kubectl('describe', 'modelversion', 'digits-1.0.0')).toMatch(
      /Image: +\S*sha256:[0-9a-f]{64}/,
    );
    const story = await tenant.kubectl('describe', 'experiment', SEARCH);
    expect(story).toMatch(/FinalTrainingStarted .*on the parameters of trial [01]: /);
    expect(story).toMatch(/FinalTrainingFinished/);
  });
});

describe("A user's own Optuna script runs in a pod of the namespace", () => {
  test(
    "it reads the Experiment's study, cannot steer it, and searches on one of its own",
    async () => {
      const uid = textAt(await tenant.get('experiment', SEARCH), 'metadata.uid');
      const client = readFileSync(join(REPOSITORY, 'operator/hpo/client/mlops_optuna.py'), 'utf8');
      await tenant.apply(
        optunaScript('own-script', client, `${tenant.namespace}/${SEARCH}/${uid}`),
      );
      await tenant.kubectl('wait', '--for=condition=Complete', 'job/own-script', '--timeout=120s');
      const said = await tenant.kubectl('logs', 'job/own-script');
      expect(said).toContain('trials of the Experiment: COMPLETE COMPLETE');
      expect(said).toContain('asking for a trial: PERMISSION_DENIED');
      expect(said).toContain('trials of my own: 5');
      expect(said).toMatch(new RegExp(`studies: .*${tenant.namespace}/${SEARCH}/${uid}`));
    },
    4 * MINUTES,
  );
});

describe('A training on two nodes', () => {
  test(
    'its pods find one another, and its metric is the one of node 0',
    async () => {
      await tenant.apply(nodesThatMeet('two-nodes', 2));
      await tenant.awaits('experiment', 'two-nodes', { type: 'Complete', status: 'True' }, 180);
      const found = await tenant.get('experiment', 'two-nodes');
      const [metric] = listAt(found, 'status.currentOptimalTrial.observation.metrics');
      // Node 1 sends its rank, to which node 0 adds 41.
      expect(metric).toMatchObject({ name: 'met', latest: '42' });
      const jobs = await tenant.list('jobs');
      const job = jobs.find((each) => textAt(each, 'metadata.name') === 'two-nodes-0');
      expect(at(job, 'status.succeeded')).toBe(2);
      expect(await tenant.get('service', 'two-nodes-nodes')).toBeUndefined();
    },
    5 * MINUTES,
  );

  test(
    'one that fails says on which node, and why',
    async () => {
      await tenant.apply(nodesThatMeet('second-fails', 2, 1));
      const { message } = await tenant.awaits(
        ...(['experiment', 'second-fails'] as const),
        { type: 'Failed', status: 'True' },
        180,
      );
      expect(message).toMatch(/node 1 of 2: .*exit code 3/);
    },
    5 * MINUTES,
  );
});
