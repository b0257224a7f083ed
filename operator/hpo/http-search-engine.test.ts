import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';

import type { Study } from '../kinds/experiment/search-engine.ts';
import { systemClock, type Clock } from '../runtime/clock.ts';
import { HttpSearchEngine } from './http-search-engine.ts';

const study: Study = {
  name: 'demo/größe/1',
  directions: ['minimize'],
  algorithm: { name: 'tpe', settings: {} },
  parameters: [{ name: 'x', type: 'double', min: '0', max: '1' }],
};

type Answer = { readonly status: number; readonly body: string };
const DRAWN = JSON.stringify({ state: 'drawn', assignments: [{ name: 'x', value: '0.5' }] });
const problem = (reason: string, more = {}): string =>
  JSON.stringify({ reason, detail: `about ${reason}`, ...more });

/** Waits take no time; what they would have taken is noted. */
const impatient = (waits: number[]): Clock => ({
  ...systemClock,
  setTimeout: (callback, ms) => {
    if (ms >= 2_500) return undefined;
    waits.push(ms);
    return setImmediate(callback);
  },
  clearTimeout: (handle) => clearImmediate(handle as NodeJS.Immediate),
});

let servers: Server[] = [];
let engines: HttpSearchEngine[] = [];
afterEach(async () => {
  for (const engine of engines) await engine.close();
  for (const server of servers) server.close();
  servers = [];
  engines = [];
});

/** A service that gives these answers in turn, the last one for ever, and notes the requests. */
const serve = async (answers: readonly (Answer | 'reset')[]) => {
  const seen: { readonly line: string; readonly body: unknown }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      seen.push({
        line: `${request.method} ${request.url}`,
        body: text === '' ? undefined : JSON.parse(text),
      });
      const answer = answers[Math.min(seen.length, answers.length) - 1] ?? 'reset';
      if (answer === 'reset') request.socket.destroy();
      else response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  const waits: number[] = [];
  const engine = new HttpSearchEngine({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clock: impatient(waits),
    random: () => 0,
  });
  engines.push(engine);
  return { engine, seen, waits };
};

describe('the search engine over HTTP', () => {
  test('asks with the definition, and with what was drawn before', async () => {
    const { engine, seen } = await serve([{ status: 200, body: DRAWN }]);
    const assignments = [{ name: 'x', value: '0.5' }];
    expect(await engine.ask(study, 3)).toEqual({ state: 'drawn', assignments });
    await engine.ask(study, 3, assignments);
    expect(seen).toEqual([
      { line: 'PUT /v1/studies/demo%2Fgr%C3%B6%C3%9Fe%2F1/trials/3', body: study },
      {
        line: 'PUT /v1/studies/demo%2Fgr%C3%B6%C3%9Fe%2F1/trials/3',
        body: { ...study, assignments },
      },
    ]);
  });

  test('asks what matters for an objective', async () => {
    const body = { evaluator: 'E', importances: [{ parameter: 'x', importance: 1 }] };
    const { engine, seen } = await serve([{ status: 200, body: JSON.stringify(body) }]);
    expect(await engine.importances(study.name, 1)).toEqual(body);
    expect(seen).toEqual([
      { line: 'GET /v1/studies/demo%2Fgr%C3%B6%C3%9Fe%2F1/importance/1', body: undefined },
    ]);
  });

  test('tries again what was not answered, and waits longer each time', async () => {
    const { engine, seen, waits } = await serve([
      'reset',
      { status: 503, body: problem('StorageUnavailable') },
      { status: 200, body: DRAWN },
    ]);
    expect((await engine.ask(study, 0)).state).toBe('drawn');
    expect(seen).toHaveLength(3);
    expect(waits).toEqual([50, 100]);
  });

  test('gives up after three times, saying whom it asked and what came', async () => {
    const { engine, seen } = await serve([{ status: 503, body: problem('StorageUnavailable') }]);
    await expect(engine.tell(study, 0, { state: 'failed' })).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringMatching(
        /^The search service at http:\/\/127.* did not answer POST .*\/tell, tried 3 time\(s\): status 503: .*StorageUnavailable/,
      ),
    });
    expect(seen).toHaveLength(3);
  });

  test('asks once only where the answer is no', async () => {
    const { engine, seen } = await serve([{ status: 422, body: problem('InvalidSearchSpace') }]);
    expect(await engine.ask(study, 0)).toEqual({
      state: 'refused',
      reason: 'InvalidSearchSpace',
      message: 'about InvalidSearchSpace',
    });
    expect(seen).toHaveLength(1);
  });

  test.each([
    [409, problem('StudyBehind', { next: 4 }), { name: 'StudyBehind', next: 4 }],
    [409, problem('EngineConflict'), { name: 'EngineConflict', message: 'about EngineConflict' }],
    [409, problem('StudyChanged'), { name: 'StudyChanged', message: 'about StudyChanged' }],
    [400, problem('BadRequest'), { name: 'SearchEngineError', code: 'ProtocolFault' }],
    [404, '<html>', { code: 'ProtocolFault', message: expect.stringContaining('MLOPS_HPO_URL') }],
    [200, '{"state":"maybe"}', { code: 'ProtocolFault' }],
    [200, 'fine', { code: 'ProtocolFault' }],
  ])('throws for an answer %d %s', async (status, body, error) => {
    const { engine } = await serve([{ status, body }]);
    await expect(engine.ask(study, 5)).rejects.toMatchObject(error);
  });

  test('writes numbers that JSON has no word for as text', async () => {
    const { engine, seen } = await serve([
      { status: 200, body: '{"prune":true}' },
      { status: 204, body: '' },
    ]);
    const reported = await engine.report(study, 0, [
      { step: 1, value: NaN },
      { step: 2, value: 0.25 },
    ]);
    expect(reported).toEqual({ prune: true });
    await engine.tell(study, 0, { state: 'complete', values: [-Infinity] });
    expect(seen.map(({ body }) => body)).toEqual([
      {
        study,
        values: [
          { step: 1, value: 'NaN' },
          { step: 2, value: 0.25 },
        ],
      },
      { study, outcome: { state: 'complete', values: ['-Infinity'] } },
    ]);
  });

  test('ends what is under way when it is closed', async () => {
    const { engine } = await serve(['reset']);
    await engine.close();
    await expect(engine.forget(study.name)).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
