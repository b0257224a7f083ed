import { beforeEach, describe, expect, test } from '@jest/globals';
import { apiFixture, given, person } from '../../api/testing/api-fixture.ts';
import type { Fixture } from '../../api/testing/api-fixture.ts';
import { memoryLabelStore } from '../../store/memory-labels.ts';
import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import { aDeployment } from '../testing/a-deployment.ts';
import { labelRoutes } from './label-routes.ts';

const url = '/api/v1/namespaces/demo/modeldeployments/digits/labels';

let fixture: Fixture;

beforeEach(async () => {
  fixture = await apiFixture({
    routes: [labelRoutes(memoryLabelStore(memoryPredictionStore()))],
  });
  const { spec } = aDeployment();
  await given(fixture, 'Deployment', { namespace: 'demo', name: 'digits' }, { spec });
  fixture.cluster.allows = (_user, { verb, subresource }) =>
    verb === 'create' && subresource === 'labels';
});

const post = (payload: string | object, at = url) =>
  fixture.app.inject({
    ...{ method: 'POST', url: at, payload },
    headers: { ...person(fixture, 'shop'), 'content-type': 'application/json' },
  });

describe('labels of a Deployment', () => {
  test('are taken once; the rest of a call does not suffer from one that is wrong', async () => {
    const label = { predictionId: 'p-1', truth: 3 };
    const labels = [{ predictionId: 'p-2' }, label, label, { ...label, truth: [4] }];
    const response = await post({ labels });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      ...{ taken: 1, duplicates: 1, waiting: 3, incomparable: 0 },
      refused: [
        { index: 0, reason: expect.stringContaining('truth is not a finite number') },
        { index: 3, reason: expect.stringContaining('another truth was sent before') },
      ],
    });
  });

  test.each<[string, unknown, string]>([
    ['no object', 'p-1', 'is not an object'],
    ['no id', { truth: 1 }, 'has no predictionId'],
    ['a NUL in its id', { predictionId: 'a\0', truth: 1 }, 'without NUL'],
    ['half a character', { predictionId: 'p', truth: '\ud800' }, 'truth is not'],
    ['a field we do not know', { predictionId: 'p', truth: 1, value: 1 }, 'unknown field "value"'],
    ['a number that cannot be squared', { predictionId: 'p', truth: 1e200 }, 'truth is not'],
    ['an object for a truth', { predictionId: 'p', truth: {} }, 'truth is not'],
    ['no values', { predictionId: 'p', truth: [] }, 'truth has 0 values'],
  ])('with %s are refused, saying so', async (_what, label, reason) => {
    expect((await post({ labels: [label] })).json()).toMatchObject({
      ...{ taken: 0, refused: [{ index: 0, reason: expect.stringContaining(reason) }] },
    });
  });

  test('are only for those who may create modeldeployments/labels, and are not read before', async () => {
    fixture.cluster.allows = () => false;
    const response = await post('x'.repeat(2 * 1024 * 1024));
    expect(response.statusCode).toBe(403);
    expect(response.json<{ detail: string }>().detail).toContain(
      '"shop" may not create modeldeployments/labels.mlops.pynomaly.io "digits" in namespace demo',
    );
  });

  test('are refused as a whole where there are too many, or no such Deployment', async () => {
    const label = { predictionId: 'p-1', truth: 3 };
    expect((await post({ labels: Array.from({ length: 1001 }, () => label) })).statusCode).toBe(
      400,
    );
    const none = await post({ labels: [label] }, url.replace('digits', 'none'));
    expect(none.statusCode).toBe(404);
    expect(none.json<{ detail: string }>().detail).toContain('There is no Deployment "none"');
  });
});
