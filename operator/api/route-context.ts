import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import type { RunStore } from '../kinds/experiment/run-store.ts';
import type { Cluster } from '../runtime/cluster.ts';
import type { GuardedRequest } from '../probing/guarded-request.ts';
import type { PrivateHosts } from '../probing/guarded-address.ts';
import type { ResourceSearch } from '../store/search.ts';
import type { WebhookStore } from '../webhooks/webhook-store.ts';
import type { Access } from './access.ts';
import type { JsonSchema } from '../../crds/json-schema.ts';
import type { ApiKind } from './api-kind.ts';
import type { Identity } from './identity.ts';
import type { PodGrantsLookup } from './pod-grants.ts';

/** Sizes in bytes, times in seconds. */
export type ApiConfig = {
  /** Bucket of the bundled store, as `storageUri` names it. */
  readonly bundledBucket: string;
  readonly maxArtifactBytes: number;
  readonly presignSeconds: number;
};

/** What webhooks of the registry need. */
export type WebhookPorts = {
  readonly store: WebhookStore;
  readonly request: GuardedRequest;
  /** What secrets are sealed with, 32 bytes; the same in all replicas. */
  readonly key: Uint8Array;
  /** Hosts that may be private, and do without TLS. */
  readonly hosts: PrivateHosts;
};

/** Everything the API needs from outside. */
export type ApiPorts = {
  readonly cluster: Cluster;
  readonly artifacts: ArtifactStore;
  readonly runs: RunStore;
  readonly search: ResourceSearch;
  readonly kinds: readonly ApiKind[];
  readonly config: ApiConfig;
  /** What links to parts and files are signed with; the same in all replicas. */
  readonly linkSecret: Uint8Array;
  readonly webhooks: WebhookPorts;
  readonly log: FastifyBaseLogger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 32 random hex digits. */
  readonly newId: () => string;
};

/** What routes get: the ports, and who may do what. */
export type RouteContext = ApiPorts & {
  readonly access: Access;
  readonly podGrants: PodGrantsLookup;
};

/** Routes behind authentication, mounted at the root of the API. */
export type ApiRoutes = (app: FastifyInstance, context: RouteContext) => void;

declare module 'fastify' {
  interface FastifySchema {
    operationId?: string;
    summary?: string;
    tags?: readonly string[];
  }
  interface FastifyRequest {
    /** Set for every request behind authentication. */
    identity: Identity | undefined;
  }
  interface FastifyContextConfig {
    /** `none`: answered without a token. */
    readonly auth?: 'bearer' | 'none';
    /** For OpenAPI, where the framework does not validate the body itself, or not all of it. */
    readonly requestBody?: JsonSchema;
    readonly requestMediaType?: string;
    readonly responseMediaType?: string;
    /** Not in OpenAPI: it catches what is not offered. */
    readonly hidden?: boolean;
  }
}

export const identityOf = (request: FastifyRequest): Identity => {
  if (request.identity === undefined) {
    throw new Error(
      `${request.routeOptions.url ?? 'A route'} asks who calls but is not behind authentication.`,
    );
  }
  return request.identity;
};
