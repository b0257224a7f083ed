import { createHash } from 'node:crypto';
import { GROUP } from '../../crds/schema/resource.ts';
import type { Cluster } from '../runtime/cluster.ts';
import { SUBJECT_ACCESS_REVIEW } from '../runtime/kubernetes-types.ts';
import type { KubernetesObject } from '../runtime/resource-type.ts';
import { ExpiringCache } from './expiring-cache.ts';
import type { Identity } from './identity.ts';
import { Problem } from './problem.ts';

/** Something done to our own resources. Without a namespace: in all of them. */
export type Action = {
  readonly verb: 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete';
  /** Plural, as `experiments`. */
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
};

/** Whether the cluster's own rules let somebody do something. */
export type Access = {
  allowed(identity: Identity, action: Action): Promise<boolean>;
  /** Throws the Problem `Forbidden`, which names the permission that is missing. */
  require(identity: Identity, action: Action): Promise<void>;
};

type SubjectAccessReview = KubernetesObject & { readonly status?: { readonly allowed?: boolean } };

const HOLDS_MS = 10_000;
const MAX_ANSWERS = 50_000;

/** Permissions by SubjectAccessReview, kept for at most ten seconds. */
export const createAccess = (cluster: Cluster, now: () => number): Access => {
  const cache = new ExpiringCache<boolean>(now, MAX_ANSWERS);
  const allowed = async (identity: Identity, action: Action): Promise<boolean> =>
    // A run is nobody the cluster knows: what its token may do is decided where runs are.
    identity.run === undefined &&
    cache.get(cacheKey(identity, action), async () => ({
      value: await review(cluster, identity, action),
      expiresAt: now() + HOLDS_MS,
    }));
  const require = async (identity: Identity, action: Action): Promise<void> => {
    if (await allowed(identity, action)) return;
    throw new Problem('Forbidden', `${describe(identity, action)}; ask for a Role that allows it.`);
  };
  return { allowed, require };
};

const describe = (identity: Identity, { verb, resource, ...action }: Action): string => {
  const what = action.subresource === undefined ? resource : `${resource}/${action.subresource}`;
  const which = action.name === undefined ? '' : ` "${action.name}"`;
  const where =
    action.namespace === undefined ? 'in all namespaces' : `in namespace ${action.namespace}`;
  return `"${identity.username}" may not ${verb} ${what}.${GROUP}${which} ${where}`;
};

const cacheKey = (identity: Identity, action: Action): string => {
  const { verb, resource, subresource, namespace, name } = action;
  const { username, uid, groups, extra } = identity;
  const who = [username, uid, groups, extra];
  return createHash('sha256')
    .update(JSON.stringify([who, verb, resource, subresource, namespace, name]))
    .digest('hex');
};

const review = async (cluster: Cluster, identity: Identity, action: Action): Promise<boolean> => {
  const request = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: { name: '' },
    spec: {
      user: identity.username,
      uid: identity.uid,
      groups: identity.groups,
      extra: identity.extra,
      resourceAttributes: { group: GROUP, ...action },
    },
  };
  const { status } = await cluster.create<SubjectAccessReview>(SUBJECT_ACCESS_REVIEW, request, {
    fieldManager: 'mlops-api',
  });
  return status?.allowed === true;
};
