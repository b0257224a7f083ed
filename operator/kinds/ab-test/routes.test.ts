import { beforeEach, describe, expect, test } from '@jest/globals';
import { apiFixture, given, person } from '../../api/testing/api-fixture.ts';
import type { Fixture } from '../../api/testing/api-fixture.ts';
import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import { memoryOutcomeStore } from './memory-outcome-store.ts';
import type { OutcomeStore } from './outcome-store.ts';
import { abTestRoutes } from './routes.ts';

const url = '/api/v1/namespaces/demo/abtests/digits-v2/outcomes';
const spec = {
  deploymentRef: { name: 'digits' },
  candidates: [{ name: 'bigger', version: '1.1.0', weight: 50 }],
  unit: { header: 'x-user-id' },
  metrics: { goal: [{ name: 'conversion', type: 'proportion', direction: 'increase' }] },
};
const OUTCOME = { id: 'o-1', unit: 'ada', metric: 'conversion', value: 1 };

let fixture: Fixture;
let store: OutcomeStore;
let uid: string;

const open = async (opened: OutcomeStore) => {
  store = opened;
  fixture = await apiFixture({ routes: [abTestRoutes(store)] });
  const metadata = { namespace: 'demo', name: 'digits-v2' };
  uid = (await given(fixture, 'ABTest', metadata, { spec })).metadata.uid ?? '';
  fixture.cluster.allows = (_user, { verb, subresource }) =>
    verb === 'create' && subresource === 'outcomes';
};

const post = (payload: string | object, at = url) =>
  fixture.app.inject({
    ...{ method: 'POST', url: at, payload },
    headers: { ...person(fixture, 'shop'), 'content-type': 'application/json' },
  });

beforeEach(() => open(memoryOutcomeStore(memoryPredictionStore())));

describe('outcomes of a test', () => {
  test('are taken once; the rest of a call does not suffer from one that is wrong', async () => {
    const outcomes = [OUTCOME, OUTCOME, { ...OUTCOME, id: 'o-2', value: '1' }];
    const response = await post({ outcomes });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      taken: 1,
      duplicates: 1,
      refused: [{ index: 2, reason: 'value is not a finite number' }],
    });
    expect((await post({ outcomes: [OUTCOME] })).json()).toMatchObject({ duplicates: 1 });
  });

  test('with a number that is none for JavaScript are refused', async () => {
    const text = `{"outcomes":[${JSON.stringify(OUTCOME).replace('"value":1', '"value":1e999')}]}`;
    expect((await post(text)).json()).toMatchObject({ taken: 0, refused: [{ index: 0 }] });
  });

  test('are only for those who may create abtests/outcomes, and are not read before', async () => {
    fixture.cluster.allows = () => false;
    const response = await post('x'.repeat(2 * 1024 * 1024));
    expect(response.statusCode).toBe(403);
    expect(response.json<{ detail: string }>().detail).toContain(
      '"shop" may not create abtests/outcomes.mlops.pynomaly.io "digits-v2" in namespace demo',
    );
  });

  test.each<[string, string | object, number]>([
    ['more than 1,000', { outcomes: Array.from({ length: 1001 }, () => OUTCOME) }, 400],
    ['no list', { outcomes: {} }, 400],
    ['nothing', {}, 400],
    ['no JSON', 'x', 400],
    ['too many bytes', `{"outcomes":["${'x'.repeat(1024 * 1024)}"]}`, 413],
  ])('are refused as a whole where there is %s', async (_what, payload, status) => {
    expect((await post(payload)).statusCode).toBe(status);
  });

  test('need a test that is there and is not being deleted', async () => {
    const none = await post({ outcomes: [OUTCOME] }, url.replace('digits-v2', 'none'));
    expect(none.json()).toMatchObject({
      code: 'NotFound',
      detail:
        'There is no ABTest "none" in namespace demo; "kubectl get abtests -n demo" shows those there are.',
    });
    await store.deleteTest(uid);
    expect((await post({ outcomes: [OUTCOME] })).json()).toMatchObject({
      code: 'Conflict',
      detail: 'ABTest demo/digits-v2 is being deleted and takes no more outcomes.',
    });
  });

  test('ask to wait when too many are being written', async () => {
    const slow = Promise.withResolvers<{ taken: number; duplicates: number }>();
    await open({ ...store, append: () => slow.promise });
    const answers = Array.from({ length: 5 }, () => post({ outcomes: [OUTCOME] }));
    const refused = await Promise.race(answers);
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
    slow.resolve({ taken: 1, duplicates: 0 });
    expect((await Promise.all(answers)).map(({ statusCode }) => statusCode).sort()).toEqual([
      ...[200, 200, 200, 200, 429],
    ]);
  });
});

test('OpenAPI says what an outcome is', async () => {
  const document = (await fixture.app.inject({ url: '/openapi.json' })).json<{
    paths: Readonly<Record<string, { post?: { requestBody: { content: object } } }>>;
  }>();
  const route = document.paths['/api/v1/namespaces/{namespace}/abtests/{name}/outcomes'];
  expect(route?.post?.requestBody.content).toMatchObject({
    'application/json': {
      schema: { properties: { outcomes: { items: { required: ['metric', 'value'] } } } },
    },
  });
});
