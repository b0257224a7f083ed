import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { Study, Told } from '../kinds/experiment/search-engine.ts';
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

  test('stops a trial that is far behind the others', async () => {
    const study = tpe({
      earlyStopping: { name: 'median', settings: { min_trials_required: '2', start_step: '1' } },
    });
    for (const number of [0, 1]) {
      await engine.ask(study, number);
      expect(
        await engine.report(study, number, [
          { step: 0, value: 1 },
          { step: 1, value: 0.5 },
        ]),
      ).toEqual({ prune: false });
      await engine.tell(study, number, { state: 'complete', values: [0.5] });
    }
    await engine.ask(study, 2);
    expect(await engine.report(study, 2, [{ step: 0, value: 9 }])).toEqual({ prune: false });
    expect(await engine.report(study, 2, [{ step: 1, value: 9 }])).toEqual({ prune: true });
    expect(await engine.report(study, 2, [{ step: 1, value: 9 }])).toEqual({ prune: true });
    await engine.tell(study, 2, { state: 'pruned' });
  });

  test('deletes a study, and takes its name anew', async () => {
    const study = tpe();
    await engine.ask(study, 0);
    await engine.remove(study.name);
    await engine.remove(study.name);
    await expect(engine.ask(study, 1)).rejects.toMatchObject({ code: 'StudyBehind', next: 0 });
  });

  test('keeps to what a study was begun with', async () => {
    const study = tpe();
    await engine.ask(study, 0);
    await expect(engine.ask({ ...study, seed: 8 }, 1)).rejects.toMatchObject({
      code: 'StudyChanged',
      message: expect.stringContaining('begun with another definition'),
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
