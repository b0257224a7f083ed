import { beforeEach, describe, expect, test } from '@jest/globals';
import type { HttpRequest } from '../../../probing/guarded-request.ts';
import { unseal } from '../../../webhooks/seal.ts';
import { memoryWebhookStore } from '../../../webhooks/memory-webhooks.ts';
import { signatureOf } from '../../../webhooks/send.ts';
import { apiFixture, person } from '../../testing/api-fixture.ts';
import type { Fixture } from '../../testing/api-fixture.ts';

const KEY = new Uint8Array(32).fill(3);
const BASE = '/api/2.0/mlflow/webhooks';
const HOOK = {
  ...{ name: 'ci', url: 'https://ci.example/hook', secret: 's3cret' },
  events: [{ entity: 'MODEL_VERSION_ALIAS', action: 'CREATED' }],
};

type Answer = { readonly webhook: { readonly webhook_id: string } };

let fixture: Fixture;
let store: ReturnType<typeof memoryWebhookStore>;
let sent: HttpRequest[];
let answer: () => Promise<{ readonly status: number; readonly body: string }>;

beforeEach(async () => {
  sent = [];
  store = memoryWebhookStore();
  answer = async () => ({ status: 200, body: 'x'.repeat(20_000) });
  const request = async (asked: HttpRequest) => {
    sent.push(asked);
    return answer();
  };
  const webhooks = { store, request, key: KEY, hosts: ['hooks.ci.svc:8080'] };
  fixture = await apiFixture({ webhooks });
  // Ada writes in demo, Bob reads there, both read nowhere else.
  fixture.cluster.allows = (user, { namespace, verb }) =>
    namespace === 'demo' && (user === 'ada' || verb === 'list');
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
type Caller = { readonly who: string; readonly namespace?: string };

const ADA: Caller = { who: 'ada' };
const BOB: Caller = { who: 'bob' };
const ELSEWHERE: Caller = { who: 'ada', namespace: 'other' };

const as = ({ who, namespace = 'demo' }: Caller, method: Method, path: string, payload?: object) =>
  fixture.app.inject({
    ...{ method, url: BASE + path },
    headers: { ...person(fixture, who), 'x-mlflow-workspace': namespace },
    ...(payload === undefined ? {} : { payload }),
  });
const call = (method: Method, path: string, payload?: object) => as(ADA, method, path, payload);
const created = async (): Promise<string> =>
  (await call('POST', '', HOOK)).json<Answer>().webhook.webhook_id;

describe('webhooks', () => {
  test('keep their secret sealed and never show it', async () => {
    const first = await call('POST', '', HOOK);
    const id = first.json<Answer>().webhook.webhook_id;
    const list = await call('GET', '');
    expect(first.body + list.body).not.toContain('s3cret');
    const { sealedSecret = '' } = (await store.get('demo', id)) ?? {};
    expect(sealedSecret).not.toContain('s3cret');
    expect(unseal(KEY, id, sealedSecret)).toBe('s3cret');
    expect(() => unseal(KEY, 'another', sealedSecret)).toThrow('set it again');
    expect(() => unseal(new Uint8Array(32), id, sealedSecret)).toThrow('set it again');
  });

  test('are seen by those who list Models, changed by those who update them', async () => {
    const id = await created();
    expect((await as(BOB, 'GET', `/${id}`)).statusCode).toBe(200);
    for (const [method, path, body] of [
      ['POST', '', HOOK],
      ['PATCH', `/${id}`, { name: 'x' }],
      ['POST', `/${id}/test`, {}],
      ['DELETE', `/${id}`, undefined],
    ] as const) {
      expect((await as(BOB, method, path, body)).statusCode).toBe(403);
    }
    expect((await as(ELSEWHERE, 'GET', `/${id}`)).statusCode).toBe(403);
    fixture.cluster.allows = () => true;
    fixture.pass(11_000);
    expect((await as(ELSEWHERE, 'GET', `/${id}`)).statusCode).toBe(404);
    expect((await as(ELSEWHERE, 'DELETE', `/${id}`)).statusCode).toBe(404);
    expect(sent).toEqual([]);
  });

  test.each([
    'http://ci.example/hook',
    'http://hooks.ci.svc:9090/',
    'https://user:pass@ci.example/',
    'https://10.1.2.3/',
    'https://0x7f.1/',
    'https://[fe80::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://x.localhost/',
    'gopher://ci.example/',
    'no url',
  ])('do not go to %s', async (url) => {
    expect((await call('POST', '', { ...HOOK, url })).json()).toMatchObject({
      error_code: 'INVALID_PARAMETER_VALUE',
    });
    expect((await call('PATCH', `/${await created()}`, { url })).statusCode).toBe(400);
  });

  test('go by http to a host that the administrator names', async () => {
    const url = 'http://hooks.ci.svc:8080/a';
    expect((await call('POST', '', { ...HOOK, url })).statusCode).toBe(200);
  });

  test('are a hundred in a namespace at most', async () => {
    for (let count = 0; count < 100; count += 1) await created();
    const answered = await call('POST', '', HOOK);
    expect(answered.json<{ readonly message: string }>().message).toContain('delete one first');
  });
});

describe('a test of a webhook', () => {
  test('sends a signed example and shows the beginning of the answer', async () => {
    const { result } = (await call('POST', `/${await created()}/test`, {})).json<{
      readonly result: { readonly response_body: string };
    }>();
    expect(result).toMatchObject({ success: true, response_status: 200 });
    expect(result.response_body).toHaveLength(10_000);
    const { headers = {}, body = '', url } = sent[0] ?? {};
    expect(url).toBe('https://ci.example/hook');
    expect(JSON.parse(body)).toMatchObject({
      ...{ entity: 'model_version_alias', action: 'created', workspace: 'demo' },
      data: { alias: 'champion', version: '1' },
    });
    const signed = `${headers['X-MLflow-Delivery-Id']}.${headers['X-MLflow-Timestamp']}.${body}`;
    expect(headers['X-MLflow-Signature']).toBe(signatureOf('s3cret', signed));
  });

  test('says why nobody was told', async () => {
    answer = async () => Promise.reject(new Error('10.0.0.1 is not public'));
    const event = { entity: 'MODEL_VERSION', action: 'CREATED' };
    expect((await call('POST', `/${await created()}/test`, { event })).json()).toEqual({
      result: { success: false, error_message: 'Failed to test webhook: 10.0.0.1 is not public' },
    });
    answer = async () => ({ status: 500, body: 'broken' });
    expect((await call('POST', `/${await created()}/test`, {})).json()).toEqual({
      result: { success: false, response_status: 500, response_body: 'broken' },
    });
  });

  test('signs as the documentation of MLflow says', () => {
    // printf 'a.1.{}' | openssl dgst -sha256 -hmac key -binary | base64
    expect(signatureOf('key', 'a.1.{}')).toBe('v1,bL1jQXV9xdvhtjVTxMVmcec+7wicDeM5+UJZVhyrJw0=');
  });
});
