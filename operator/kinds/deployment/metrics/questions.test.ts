import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryCluster } from '../../../runtime/memory-cluster.ts';
import { SERVICE } from '../../../runtime/kubernetes-types.ts';
import { aDeployment } from '../../testing/a-deployment.ts';
import { aReadyVersion } from '../../testing/builders.ts';
import { ownServiceOf } from './own-service.ts';
import { fill, fillAll, placeholdersOf } from './placeholders.ts';
import { questionOf } from './questions.ts';

const placeholders = placeholdersOf(
  aDeployment(),
  aReadyVersion('1.1.0+build.5'),
  aReadyVersion('1.0.0'),
);

describe('placeholders', () => {
  test('stand for the Deployment and both versions', () => {
    expect(placeholders).toEqual({
      'deployment.name': 'digits',
      'deployment.namespace': 'demo',
      'candidate.service': 'digits-candidate',
      'candidate.version': '1.1.0+build.5',
      'candidate.modelVersion': 'digits-1.1.0+build.5',
      'candidate.url': 'http://digits-candidate.demo.svc/v2/models/digits',
      'stable.service': 'digits',
      'stable.version': '1.0.0',
      'stable.modelVersion': 'digits-1.0.0',
      'stable.url': 'http://digits.demo.svc/v2/models/digits',
    });
  });

  test('are filled in in every text of a Job, and what a shell fills in stays', () => {
    const spec = { args: ['-c', 'ask ${candidate.url} > ${HOME}/a; echo $X'], count: 3 };
    expect(fillAll(spec, placeholders)).toEqual({
      args: ['-c', 'ask http://digits-candidate.demo.svc/v2/models/digits > ${HOME}/a; echo $X'],
      count: 3,
    });
  });

  test.each(['${candidate.colour}', '${stable.}', '${deployment.__proto__}'])(
    'of another name are told, with those there are: %s',
    (text) => {
      expect(() => fill(text, placeholders)).toThrow(
        `${text} stands for nothing; known are deployment.name, deployment.namespace,`,
      );
    },
  );
});

describe('a Service of the own namespace', () => {
  test.each([
    ['http://kpi/', 'kpi'],
    ['http://kpi:8080/x', 'kpi'],
    ['http://kpi.demo.svc/', 'kpi'],
    ['http://kpi.demo.svc.cluster.local:9090/', 'kpi'],
    ['http://kpi.other.svc/', undefined],
    ['http://kpi.demo/', undefined],
    ['http://kpi.demo.example/', undefined],
    ['http://localhost/', undefined],
    ['http://10.0.0.1/', undefined],
    ['http://[::1]/', undefined],
    ['http://2130706433/', undefined],
  ])('%s is %s', (url, name) => {
    expect(ownServiceOf(url, 'demo')).toBe(name);
  });
});

describe('a question', () => {
  let cluster: MemoryCluster;
  const memory = { attempt: 'a1', judgedFrom: '2026-03-01T12:00:00Z' };
  beforeEach(() => {
    cluster = new MemoryCluster({ now: () => 0 });
  });

  const ask = (metric: object) =>
    questionOf({ name: 'errors', ...metric }, { placeholders, namespace: 'demo', memory }, cluster);
  const putService = (spec: object) =>
    cluster.create(
      SERVICE,
      {
        ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'kpi', namespace: 'demo' } },
        spec,
      } as never,
      { fieldManager: 'user' },
    );
  const web = (url: string, more: object = {}) => ask({ web: { url, ...more } });
  const addressOf = async (url: string) => {
    const question = web(url);
    if (question?.fault !== undefined) throw new Error(question.fault);
    return question?.probe.request.address?.();
  };

  test('to Prometheus is its query as a form', () => {
    const query = 'sum(rate(errors{service="${candidate.service}",v="${candidate.version}"}[1m]))';
    const prometheus = { address: 'http://prom.example/prefix/', query, timeout: '2s' };
    const question = ask({ prometheus });
    if (question?.fault !== undefined) throw new Error(question.fault);
    const { url, method, body, timeoutMs, address } = question?.probe.request ?? {};
    expect({ url, method, timeoutMs, address }).toEqual({
      ...{ url: 'http://prom.example/prefix/api/v1/query', method: 'POST' },
      ...{ timeoutMs: 2000, address: undefined },
    });
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      query: 'sum(rate(errors{service="digits-candidate",v="1.1.0+build.5"}[1m]))',
      timeout: '1800ms',
    });
  });

  test('to the web has its headers, but none that the request decides itself', () => {
    const question = web('http://kpi.example/?v=${candidate.version}', {
      ...{ method: 'POST', body: '{"v":"${candidate.version}"}' },
      headers: [
        { key: 'X-Team', value: 'a' },
        { key: 'Host', value: 'admin' },
      ],
    });
    expect(question).toMatchObject({
      metric: 'errors',
      probe: {
        request: {
          url: 'http://kpi.example/?v=1.1.0%2Bbuild.5',
          method: 'POST',
          body: '{"v":"1.1.0+build.5"}',
          headers: {
            accept: 'application/json',
            'content-type': 'application/json',
            'x-team': 'a',
          },
        },
      },
    });
  });

  test('that is changed has another id', () => {
    const ids = ['http://a.example/', 'http://b.example/'].map((url) => web(url));
    expect(ids[0]).not.toMatchObject({ probe: { id: (ids[1] as never)['probe']['id'] } });
  });

  test('with a placeholder that stands for nothing, or no URL, is not asked', () => {
    expect(web('http://kpi/${candidate.colour}')).toMatchObject({
      fault: expect.stringContaining('${candidate.colour} stands for nothing'),
    });
    expect(web('http://a b/')).toEqual({
      ...{ metric: 'errors', fault: '"http://a b/" is no URL; correct it' },
    });
  });

  test('is none of a Job or of what the pods tell', () => {
    expect(ask({ job: { spec: {} } })).toBeUndefined();
    expect(ask({ name: 'request-duration' })).toBeUndefined();
  });

  test('goes to the cluster IP of a Service of the own namespace', async () => {
    await putService({ clusterIP: '10.96.0.7', selector: { app: 'kpi' } });
    expect(await addressOf('http://kpi:8080/')).toBe('10.96.0.7');
    expect(await addressOf('http://kpi.demo.svc/')).toBe('10.96.0.7');
  });

  test.each([
    [
      'points elsewhere',
      { type: 'ExternalName', externalName: 'db.internal', selector: { a: 'b' } },
    ],
    ['selects no pods', { clusterIP: '10.96.0.7' }],
  ])('goes to no Service that %s', async (_what, spec) => {
    await putService(spec);
    await expect(addressOf('http://kpi/')).rejects.toThrow(
      'Service kpi in namespace demo selects no pods, so it may point anywhere; give it a selector',
    );
  });

  test('goes to no headless Service, and to none that is not there', async () => {
    await expect(addressOf('http://kpi/')).rejects.toThrow('there is no Service kpi');
    await putService({ clusterIP: 'None', selector: { app: 'kpi' } });
    await expect(addressOf('http://kpi/')).rejects.toThrow('is headless');
  });
});
