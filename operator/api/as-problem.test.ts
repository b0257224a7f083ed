import { describe, expect, test } from '@jest/globals';
import {
  ArtifactNotFound,
  ArtifactStoreUnavailable,
  ArtifactTooLarge,
  DigestMismatch,
} from '../artifacts/artifact-errors.ts';
import { InvalidRunInput, RunNotFound } from '../kinds/experiment/run-store.ts';
import { ApiError } from '../runtime/cluster.ts';
import { asProblem } from './as-problem.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { identityOf } from './route-context.ts';
import { asMlflowError } from './tracking/mlflow-error.ts';

describe('an error of another room', () => {
  test.each([
    [new ArtifactNotFound('k'), 404, 'NotFound', 'RESOURCE_DOES_NOT_EXIST'],
    [new ArtifactTooLarge('k', 5), 413, 'TooLarge', 'INVALID_PARAMETER_VALUE'],
    [new DigestMismatch('k', 'a', 'b'), 409, 'Conflict', 'RESOURCE_CONFLICT'],
    [
      new ArtifactStoreUnavailable('read', new Error('ECONNREFUSED')),
      503,
      'ArtifactStoreUnavailable',
      'TEMPORARILY_UNAVAILABLE',
    ],
    [new ApiError(403, 'Forbidden', 'exceeded quota: team'), 403, 'Forbidden', 'PERMISSION_DENIED'],
    [
      new ApiError(
        403,
        'Forbidden',
        'tokenreviews.authentication.k8s.io is forbidden: User "system:serviceaccount:s:operator" cannot create resource "tokenreviews" in API group "authentication.k8s.io" at the cluster scope',
      ),
      503,
      'ClusterUnavailable',
      'TEMPORARILY_UNAVAILABLE',
    ],
    [new Error('a bug'), 500, 'Internal', 'INTERNAL_ERROR'],
    ['not even an error', 500, 'Internal', 'INTERNAL_ERROR'],
  ])('%s is told to both kinds of clients', (error, status, code, mlflow) => {
    expect(asProblem(error)).toMatchObject({ status, code });
    expect(asMlflowError(error)).toMatchObject({ status, code: mlflow });
  });

  test.each([
    [new RunNotFound('r'), 'RESOURCE_DOES_NOT_EXIST'],
    [new InvalidRunInput('too long'), 'INVALID_PARAMETER_VALUE'],
  ])('%s is told to MLflow clients', (error, code) => {
    expect(asMlflowError(error)).toMatchObject({ code, message: error.message });
  });
});

test('a cache holds no more than its share, and drops what was loaded longest ago', async () => {
  const cache = new ExpiringCache<string>(() => 0, 2);
  let loads = 0;
  const get = (key: string) =>
    cache.get(key, async () => ({ value: `${key}${++loads}`, expiresAt: 1 }));
  for (const key of ['a', 'b', 'c']) await get(key);
  expect([await get('c'), await get('b'), await get('a')]).toEqual(['c3', 'b2', 'a4']);
});

test('a route that forgot authentication fails, rather than serving nobody in particular', () => {
  const request = { identity: undefined, routeOptions: { url: '/x' } };
  expect(() => identityOf(request as never)).toThrow('/x asks who calls');
});
