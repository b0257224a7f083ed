import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { changeApps, converged, createApps, names, paths } from './harness/apps.ts';
import { note } from './harness/settings.ts';
import { Stage } from './harness/stage.ts';
import type { Rule } from './proxy/rule.ts';

jest.setTimeout(300_000);

const COUNT = 150;
/** Requests of a run with faults, over those of the same run without. */
const AMPLIFICATION = 3;
const CALLS = ['get', 'list', 'create', 'update', 'patch', 'apply'] as const;

let stage: Stage;
let clean: { readonly seconds: number; readonly requests: number; readonly writes: number };

beforeAll(async () => {
  stage = await Stage.open();
  clean = await run('clean');
  note(15, `clean run: ${clean.requests} requests, ${clean.seconds.toFixed(1)} s`);
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

/** 150 Apps are created, come to be Ready, are all changed, and come to be Ready again. */
const run = async (name: string, rule?: Rule, meanwhile?: (namespace: string) => Promise<void>) => {
  const { namespace, proxy, operator } = await stage.newCase(name);
  const process = operator();
  const handle = rule === undefined ? undefined : proxy.rules.add(rule);
  const startedAt = performance.now();
  await createApps(stage.kube, namespace, names(COUNT), 'first');
  await converged(stage.kube, namespace, { count: COUNT, value: 'first', seconds: 120 });
  await meanwhile?.(namespace);
  await changeApps(stage.kube, namespace, names(COUNT), 'second');
  await converged(stage.kube, namespace, { count: COUNT, value: 'second', seconds: 120 });
  const seconds = (performance.now() - startedAt) / 1000;
  expect(process.alive).toBe(true);
  const requests = proxy.calls.count();
  const writes = proxy.calls.count({ write: true, exceptResources: ['events'] });
  await process.kill('SIGTERM');
  return { namespace, proxy, seconds, requests, writes, hits: handle?.hits ?? 0 };
};

const told = (number: number, { seconds, requests, hits }: Awaited<ReturnType<typeof run>>) =>
  note(
    number,
    `${hits} faults, ${requests} requests (${(requests / clean.requests).toFixed(2)}x clean), ` +
      `${seconds.toFixed(1)} s (${(seconds / clean.seconds).toFixed(1)}x clean)`,
  );

describe('calls that fail', () => {
  test('15: with 30 % of calls answered 429 and Retry-After, all is done in less than three times the requests', async () => {
    const result = await run('storm', {
      name: '30 % of calls answer 429',
      match: { verbs: CALLS },
      probability: 0.3,
      fault: { type: 'status', code: 429, retryAfterSeconds: 1 },
    });
    told(15, result);
    expect(result.hits).toBeGreaterThan(COUNT);
    expect(result.requests).toBeLessThanOrEqual(AMPLIFICATION * clean.requests);
  });

  test.each([500, 503])(
    '16: with 20 %% of calls answered %i, all is done in less than three times the requests',
    async (code) => {
      const result = await run('broken', {
        name: '20 % of calls fail',
        match: { verbs: CALLS },
        probability: 0.2,
        fault: { type: 'status', code },
      });
      told(16, result);
      expect(result.hits).toBeGreaterThan(COUNT);
      expect(result.requests).toBeLessThanOrEqual(AMPLIFICATION * clean.requests);
    },
  );

  test('17: with 30 % of writes answered 409 while another writes too, no field of theirs is lost', async () => {
    const rule: Rule = {
      name: '30 % of writes conflict',
      match: { verbs: ['update', 'patch', 'apply'] },
      probability: 0.3,
      fault: { type: 'status', code: 409 },
    };
    const change = { metadata: { annotations: { 'example.com/note': 'by hand' } } };
    const annotate = async (namespace: string): Promise<void> => {
      const at = paths(namespace);
      for (const name of names(COUNT)) {
        await stage.kube.patch(`${at.configMaps}/${name}`, change);
        await stage.kube.patch(`${at.apps}/${name}`, change);
      }
    };
    const result = await run('conflicts', rule, annotate);
    told(17, result);
    const at = paths(result.namespace);
    for (const path of [at.configMaps, at.apps]) {
      const noted = (await stage.kube.list(path)).filter(
        ({ metadata }) => metadata.annotations?.['example.com/note'] === 'by hand',
      );
      expect(noted).toHaveLength(COUNT);
    }
    expect(result.requests).toBeLessThanOrEqual(AMPLIFICATION * clean.requests);
  });

  test('18: with 20 % of writes applied and the answer lost, nothing is there twice', async () => {
    const result = await run('lost', {
      name: '20 % of writes lose their answer',
      match: { write: true },
      probability: 0.2,
      fault: { type: 'applyThenCut' },
    });
    told(18, result);
    expect(result.hits).toBeGreaterThan(COUNT / 2);
    const at = paths(result.namespace);
    for (const path of [at.configMaps, at.deployments, at.services]) {
      const found = (await stage.kube.list(path)).map(({ metadata }) => metadata.name);
      expect(found.filter((name) => name !== 'kube-root-ca.crt')).toHaveLength(COUNT);
    }
    const events = await stage.kube.list(`/api/v1/namespaces/${result.namespace}/events`);
    const told18 = events.map(({ involvedObject, reason, message }) =>
      JSON.stringify([(involvedObject as { name: string }).name, reason, message]),
    );
    expect(new Set(told18).size).toBe(told18.length);
    expect(result.requests).toBeLessThanOrEqual(AMPLIFICATION * clean.requests);
  });
});
