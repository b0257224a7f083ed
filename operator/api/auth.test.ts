import { describe, expect, test } from '@jest/globals';
import { ApiError } from '../runtime/cluster.ts';
import { createAuthenticator } from './auth.ts';
import { ApiCluster } from './testing/api-cluster.ts';

const AUDIENCE = 'mlops.pynomaly.io';
const POD = {
  username: 'system:serviceaccount:demo:trainer',
  uid: 'sa-1',
  groups: ['system:serviceaccounts'],
  extra: {
    'authentication.kubernetes.io/pod-name': ['train-0'],
    'authentication.kubernetes.io/pod-uid': ['pod-1'],
  },
};

const setup = (start = 1_000_000) => {
  let at = start;
  const cluster = new ApiCluster({ now: () => at });
  const authenticate = createAuthenticator(cluster, () => at);
  return { cluster, authenticate, pass: (ms: number) => (at += ms) };
};

const jwt = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

describe('the authenticator', () => {
  test('takes the identity, namespace and pod from a token made for this API', async () => {
    const { cluster, authenticate } = setup();
    cluster.tokens.set('abc', { user: POD, audiences: [AUDIENCE] });
    await expect(authenticate('Bearer abc')).resolves.toEqual({
      ...POD,
      namespace: 'demo',
      podName: 'train-0',
      podUid: 'pod-1',
    });
    expect(cluster.tokenReviews).toBe(1);
  });

  test('accepts a token of the API server, which has no namespace when it is a person', async () => {
    const { cluster, authenticate } = setup();
    cluster.tokens.set('abc', { user: { username: 'ada' }, audiences: [] });
    await expect(authenticate('bearer abc')).resolves.toEqual({
      username: 'ada',
      uid: '',
      groups: [],
      extra: {},
    });
    expect(cluster.tokenReviews).toBe(2);
  });

  test('refuses a token made for another audience', async () => {
    const { cluster, authenticate } = setup();
    cluster.tokens.set('abc', { user: POD, audiences: ['vault'] });
    await expect(authenticate('Bearer abc')).rejects.toMatchObject({ code: 'Unauthorized' });
  });

  test('asks once for requests that come at the same time, and again only after a minute', async () => {
    const { cluster, authenticate, pass } = setup();
    cluster.tokens.set('abc', { user: POD, audiences: [AUDIENCE] });
    await Promise.all([authenticate('Bearer abc'), authenticate('Bearer abc')]);
    pass(59_999);
    await authenticate('Bearer abc');
    expect(cluster.tokenReviews).toBe(1);
    pass(1);
    await authenticate('Bearer abc');
    expect(cluster.tokenReviews).toBe(2);
  });

  test('lets a revoked token work no longer than a minute', async () => {
    const { cluster, authenticate, pass } = setup();
    cluster.tokens.set('abc', { user: POD, audiences: [AUDIENCE] });
    await authenticate('Bearer abc');
    cluster.tokens.delete('abc');
    pass(60_000);
    await expect(authenticate('Bearer abc')).rejects.toMatchObject({ code: 'Unauthorized' });
  });

  test('forgets an answer when the token itself expires', async () => {
    const { cluster, authenticate, pass } = setup(1_000_000);
    const token = jwt({ exp: 1_010 });
    cluster.tokens.set(token, { user: POD, audiences: [AUDIENCE] });
    await authenticate(`Bearer ${token}`);
    pass(10_000);
    cluster.tokens.delete(token);
    await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 'Unauthorized' });
  });

  test('keeps a refusal for five seconds', async () => {
    const { cluster, authenticate, pass } = setup();
    await expect(authenticate('Bearer abc')).rejects.toThrow('does not accept this token');
    cluster.tokens.set('abc', { user: POD, audiences: [AUDIENCE] });
    pass(4_999);
    await expect(authenticate('Bearer abc')).rejects.toThrow('does not accept this token');
    pass(1);
    await expect(authenticate('Bearer abc')).resolves.toMatchObject({ namespace: 'demo' });
  });

  test('keeps nothing when the cluster does not answer', async () => {
    const { cluster, authenticate } = setup();
    cluster.tokens.set('abc', { user: POD, audiences: [AUDIENCE] });
    cluster.failure = new ApiError(503, 'ServiceUnavailable', 'etcd is gone');
    await expect(authenticate('Bearer abc')).rejects.toThrow('etcd is gone');
    cluster.failure = undefined;
    await expect(authenticate('Bearer abc')).resolves.toMatchObject({ namespace: 'demo' });
  });

  test.each([
    ['nothing', undefined],
    ['another scheme', 'Basic YTpi'],
    ['no token', 'Bearer '],
    ['two tokens', 'Bearer a b'],
    ['a line break', 'Bearer a\nb'],
    ['a huge token', `Bearer ${'a'.repeat(8192)}`],
  ])('asks the cluster nothing when the header holds %s', async (_what, header) => {
    const { cluster, authenticate } = setup();
    await expect(authenticate(header)).rejects.toMatchObject({ code: 'Unauthorized' });
    expect(cluster.tokenReviews).toBe(0);
  });

  test('does not believe a review that leaves audiences out', async () => {
    const { cluster, authenticate } = setup();
    let reviews = 0;
    cluster.create = async (_type, object) => {
      reviews++;
      const asked = (object as { spec?: { audiences?: unknown } }).spec?.audiences;
      const status = { authenticated: asked !== undefined, user: POD };
      return { ...object, status } as never;
    };
    await expect(authenticate('Bearer abc')).rejects.toMatchObject({ code: 'Unauthorized' });
    expect(reviews).toBe(2);
  });
});
