import { expect, test } from '@jest/globals';
import { matchRoute } from './routes.ts';

test.each([
  ['GET', '/v2', { kind: 'server' }],
  ['GET', '/v2/', { kind: 'server' }],
  ['GET', '/v2/health/live', { kind: 'live' }],
  ['HEAD', '/v2/health/ready?x=1', { kind: 'ready' }],
  ['GET', '/metrics', { kind: 'metrics' }],
  ['GET', '/v2/models/m', { kind: 'model', model: 'm', version: undefined }],
  ['GET', '/v2/models/a%2Fb/ready', { kind: 'modelReady', model: 'a/b', version: undefined }],
  ['GET', '/v2/models/m/versions/1.0.0', { kind: 'model', model: 'm', version: '1.0.0' }],
  ['POST', '/v2/models/m/infer', { kind: 'infer', model: 'm', version: undefined }],
  ['POST', '/v2/models/m/versions/1/infer', { kind: 'infer', model: 'm', version: '1' }],
])('%s %s', (method, url, wanted) => {
  expect(matchRoute(method, url)).toEqual(wanted);
});

test.each([
  ['GET', '/', 404],
  ['GET', '/v1/models/m', 404],
  ['GET', '/v2/models/', 404],
  ['GET', '/v2/models/m/versions', 404],
  ['GET', '/v2/models/m/infer', 405],
  ['POST', '/v2', 405],
  ['GET', '/v2/models/%FF', 400],
])('%s %s is refused with %i', (method, url, status) => {
  expect.assertions(1);
  try {
    matchRoute(method, url);
  } catch (error) {
    expect(error).toMatchObject({ status });
  }
});
