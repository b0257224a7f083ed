import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { Experiment } from '../../crds/schema/experiment.ts';
import type { Study, Told } from '../kinds/experiment/search-engine.ts';
import { studyOf } from '../kinds/experiment/study.ts';
import { aSearch } from '../kinds/experiment/testing/search-world.ts';
import { systemClock } from '../runtime/clock.ts';
import { HttpSearchEngine } from './http-search-engine.ts';
import { describeSearchEngine } from './testing/search-engine-contract.ts';
import { startSearchService, type SearchService } from './testing/search-service.ts';

const MINUTES = 60_000;
const databaseUrl = process.env['INTEGRATION_DATABASE_URL'] ?? '';
const schema = `hpo_${randomUUID().slice(0, 8)}`;
const freshName = (): string => `demo/digits/${randomUUID()}`;

let service: SearchService;
let engine: HttpSearchEngine;
const connect = (url: string): HttpSearchEngine =>
  new HttpSearchEngine({ url, clock: systemClock, random: Math.random });

beforeAll(async () => {
  service = await startSearchService(databaseUrl, schema);
  engine = connect(service.url);
  // On a fresh machine its Python is set up first.
}, 10 * MINUTES);
afterAll(async () => {
  await engine.close();
  await service.stop();
});

describeSearchEngine('the Optuna service', () => engine, freshName);

const tpe = (more: Partial<Study> = {}): Study => ({
  name: freshName(),
  directions: ['minimize'],
  algorithm: { name: 'tpe', settings: { n_startup_trials: '3' } },
  parameters: [{ name: 'x', type: 'double', min: '0.1', max: '10', distribution: 'logUniform' }],
  seed: 7,
  ...more,
});

type Spec = Experiment['spec'];
const settings = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }));
const searchBy = (
  algorithmName: NonNullable<Spec['algorithm']>['algorithmName'],
  values = {},
): Partial<Spec> => ({ algorithm: { algorithmName, algorithmSettings: settings(values) } });
const stoppedBy = (
  algorithmName: NonNullable<Spec['earlyStopping']>['algorithmName'],
  values = {},
): Partial<Spec> => ({ earlyStopping: { algorithmName, algorithmSettings: settings(values) } });

describe('the Optuna service over HTTP', () => {
  test.each([
    ['AlgorithmNotInstalled', tpe({ algorithm: { name: 'enas', settings: {} } })],
    ['InvalidAlgorithmSetting', tpe({ algorithm: { name: 'tpe', settings: { gama: '1' } } })],
    ['InvalidSearchSpace', tpe({ parameters: [{ name: 'x', type: 'int', min: '3', max: '1' }] })],
  ] as const)('refuses with %s what cannot be searched', async (reason, study) => {
    expect(await engine.ask(study, 0)).toEqual({
      state: 'refused',
      reason,
      message: expect.stringMatching(/.{20}/),
    });
  });

  test('carries numbers that JSON has no word for', async () => {
    const study = tpe();
    for (const [number, value] of [NaN, Infinity, -Infinity].entries()) {
      await engine.ask(study, number);
      await engine.report(study, number, [{ step: 0, value }]);
      const outcome: Told = { state: 'complete', values: [value] };
      await engine.tell(study, number, outcome);
      await engine.tell(study, number, outcome);
    }
    expect((await engine.ask(study, 3)).state).toBe('drawn');
  });

  test.each<[string, Partial<Experiment['spec']>]>([
    ['tpe', searchBy('tpe', { n_EI_candidates: '20', gamma: '0.2', prior_weight: '1' })],
    ['multivariate-tpe', searchBy('multivariate-tpe', { n_startup_trials: '5', seed: '3' })],
    ['cmaes', searchBy('cmaes', { sigma: '0.3', restart_strategy: 'none', random_state: '1' })],
    ['sobol', searchBy('sobol', { random_state: '10' })],
    ['nsgaii', searchBy('nsgaii', { population_size: '8' })],
    ['grid', searchBy('grid')],
    ['hyperband', searchBy('hyperband', { r_l: '9', eta: '3' })],
    ['medianstop', stoppedBy('medianstop', { min_trials_required: '3', start_step: '4' })],
    ['median', stoppedBy('median', { n_startup_trials: '3', n_warmup_steps: '4' })],
    ['percentile', stoppedBy('percentile', { percentile: '25' })],
    ['asha', stoppedBy('asha', { min_resource: '1', reduction_factor: '3' })],
    ['hyperband', stoppedBy('hyperband', { max_resource: '9', reduction_factor: '3' })],
    ['patient', stoppedBy('patient', { patience: '2', wrapped: 'median' })],
    ['wilcoxon', stoppedBy('wilcoxon', { p_threshold: '0.1' })],
  ])("draws for an Experiment's %s with settings of Optuna and Katib", async (_name, spec) => {
    const asked = studyOf(aSearch(spec));
    if ('fault' in asked) throw new Error(asked.fault.message);
    const study = { ...asked, name: freshName() };
    expect(await engine.ask(study, 0)).toEqual({
      state: 'drawn',
      assignments: [{ name: 'lr', value: expect.stringMatching(/^0\.[1-9]$/) }],
    });
    expect(await engine.report(study, 0, [{ step: 1, value: 0.5 }])).toEqual({ prune: false });
    await engine.tell(study, 0, { state: 'complete', values: [0.5] });
    expect((await engine.ask(study, 1)).state).toBe('drawn');
  });

  test("gives every trial of Katib's hyperband all of its resource", async () => {
    const search = aSearch(searchBy('hyperband', { r_l: '9', eta: '3', resource_name: 'epochs' }));
    const epochs = { name: 'epochs', parameterType: 'int', feasibleSpace: { min: '1', max: '3' } };
    const parameters = [...(search.spec.parameters ?? []), epochs] as const;
    const asked = studyOf({ ...search, spec: { ...search.spec, parameters } } as Experiment);
    if ('fault' in asked) throw new Error(asked.fault.message);
    const study = { ...asked, name: freshName() };
    for (const number of [0, 1]) {
      expect(await engine.ask(study, number)).toEqual({
        state: 'drawn',
        assignments: [
          { name: 'lr', value: expect.stringMatching(/^0\.[1-9]$/) },
          { name: 'epochs', value: '9' },
        ],
      });
    }
  });

  test('says that the gp of bayesianoptimization needs another image', async () => {
    const study = studyOf(aSearch(searchBy('bayesianoptimization', { n_initial_points: '10' })));
    if ('fault' in study) throw new Error(study.fault.message);
    expect(await engine.ask(study, 0)).toMatchObject({
      state: 'refused',
      reason: 'AlgorithmNotInstalled',
    });
  });

  test('forgets nothing when it is killed in the middle of many questions', async () => {
    const study = tpe();
    const other = await startSearchService(databaseUrl, schema);
    const through = connect(other.url);
    const first = await through.ask(study, 0);
    const asking = Promise.allSettled([through.ask(study, 1), through.ask(study, 1)]);
    await other.kill();
    await through.close();
    await asking;
    expect(await engine.ask(study, 0)).toEqual(first);
    const second = await engine.ask(study, 1);
    expect(await engine.ask(study, 1)).toEqual(second);
    await expect(engine.ask(study, 3)).rejects.toMatchObject({ code: 'StudyBehind', next: 2 });
  });

  test('ends by itself when it is asked to', async () => {
    const other = await startSearchService(databaseUrl, schema);
    expect(await other.stop()).toBe(0);
  });

  test('says what it does in metrics', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(text).toMatch(/mlops_hpo_requests_total\{operation="ask",status="200"\} \d+/);
    expect(text).toContain('mlops_hpo_request_seconds_bucket');
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  });
});
