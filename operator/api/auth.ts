import { createHash } from 'node:crypto';
import { decodeJwt, errors } from 'jose';
import { TOKEN_AUDIENCE } from '../../crds/schema/names.ts';
import type { Cluster } from '../runtime/cluster.ts';
import { TOKEN_REVIEW } from '../runtime/kubernetes-types.ts';
import type { KubernetesObject } from '../runtime/resource-type.ts';
import { ExpiringCache } from './expiring-cache.ts';
import type { Expiring } from './expiring-cache.ts';
import { identityOf } from './identity.ts';
import type { Identity, ReviewedUser } from './identity.ts';
import { Problem } from './problem.ts';

/** Turns an Authorization header into an identity, or throws a Problem. */
export type Authenticator = (authorization: string | undefined) => Promise<Identity>;

type TokenReview = KubernetesObject & {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: ReviewedUser;
    readonly audiences?: readonly string[];
  };
};

const HOLDS_MS = 60_000;
const REFUSAL_HOLDS_MS = 5_000;
const MAX_TOKENS = 10_000;
const MAX_TOKEN_LENGTH = 8_192;
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Bearer tokens by TokenReview: first as a token made for this API, then as one made for the API
 * server itself. What it said is kept under the token's SHA-256 for at most a minute (refusals for
 * five seconds), never beyond the token's own expiry, so a revoked token works no longer than that.
 */
export const createAuthenticator = (cluster: Cluster, now: () => number): Authenticator => {
  const cache = new ExpiringCache<Identity | undefined>(now, MAX_TOKENS);
  return async (authorization) => {
    const token = tokenOf(authorization);
    const identity = await cache.get(createHash('sha256').update(token).digest('hex'), async () =>
      expiring(token, await review(cluster, token), now()),
    );
    if (identity === undefined) {
      throw new Problem(
        'Unauthorized',
        'The cluster does not accept this token: it has expired, was revoked or was made for ' +
          `another audience than ${TOKEN_AUDIENCE}. Get a new one and try again.`,
      );
    }
    return identity;
  };
};

const tokenOf = (authorization: string | undefined): string => {
  if (authorization === undefined) {
    throw new Problem(
      'Unauthorized',
      'Send a Kubernetes token as "Authorization: Bearer <token>"; ' +
        '"kubectl create token <service account>" makes one.',
    );
  }
  const token =
    authorization.length > MAX_TOKEN_LENGTH ? undefined : BEARER.exec(authorization)?.[1];
  if (token === undefined) {
    throw new Problem(
      'Unauthorized',
      `The Authorization header is not "Bearer <token>" of at most ${MAX_TOKEN_LENGTH} characters.`,
    );
  }
  return token;
};

const review = async (cluster: Cluster, token: string): Promise<Identity | undefined> =>
  (await reviewFor(cluster, token, TOKEN_AUDIENCE)) ?? (await reviewFor(cluster, token, undefined));

const reviewFor = async (
  cluster: Cluster,
  token: string,
  audience: string | undefined,
): Promise<Identity | undefined> => {
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: { name: '' },
    spec: { token, ...(audience === undefined ? {} : { audiences: [audience] }) },
  };
  const { status } = await cluster.create<TokenReview>(TOKEN_REVIEW, request, {
    fieldManager: 'mlops-api',
  });
  if (status?.authenticated !== true || !status.user?.username) return undefined;
  // An API server that knows no audiences leaves them out: then it has not checked ours.
  if (audience !== undefined && status.audiences?.includes(audience) !== true) return undefined;
  return identityOf(status.user);
};

const expiring = (
  token: string,
  identity: Identity | undefined,
  at: number,
): Expiring<Identity | undefined> => ({
  value: identity,
  expiresAt:
    identity === undefined ? at + REFUSAL_HOLDS_MS : Math.min(at + HOLDS_MS, expiryOf(token)),
});

/** `exp` of a JWT in ms, unverified: it only ever shortens how long an answer is kept. */
const expiryOf = (token: string): number => {
  try {
    return (decodeJwt(token).exp ?? Infinity) * 1000;
  } catch (error) {
    // Not a JWT; the API server accepted it all the same.
    if (error instanceof errors.JWTInvalid) return Infinity;
    throw error;
  }
};
