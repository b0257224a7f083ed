import { GROUP } from '../crds/schema/resource.ts';
import type { PolicyRule, Reconciler } from './runtime/reconciler.ts';

/** What a controller declares and its permissions follow from. */
export type Declared = Pick<Reconciler, 'type' | 'owns' | 'watches' | 'permissions'>;

const rule = (
  group: string,
  resources: readonly string[],
  verbs: readonly string[],
): PolicyRule => ({
  apiGroups: [group],
  resources,
  verbs,
});

/** Verbs in the order people know them from `kubectl`'s documentation. */
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
const READ = ['get', 'list', 'watch'];

/** What the operator may do in the namespaces it works in: the sum of what its controllers declare. */
export const operatorRules = (controllers: readonly Declared[]): readonly PolicyRule[] =>
  merged([
    ...controllers.flatMap(({ type, owns, watches, permissions }) => [
      // The API writes objects of users too, after a SubjectAccessReview for the caller.
      rule(type.group, [type.plural], VERBS),
      rule(type.group, [`${type.plural}/status`], ['get', 'update', 'patch']),
      // Where OwnerReferencesPermissionEnforcement is on, to own children with blockOwnerDeletion.
      rule(type.group, [`${type.plural}/finalizers`], ['update']),
      ...[...owns, ...watches.map((watch) => watch.type)].map(({ group, plural }) =>
        rule(group, [plural], READ),
      ),
      ...permissions,
    ]),
    // The API reads a caller's pod to learn which run or version the pod is about.
    rule('', ['pods'], READ),
    rule('events.k8s.io', ['events'], ['create', 'patch', 'update']),
    rule('', ['events'], READ),
  ]);

/** What is not in any namespace: who a caller is, what they may do, which namespaces there are. */
export const CLUSTER_RULES: readonly PolicyRule[] = [
  rule('', ['namespaces'], ['get', 'list']),
  rule('authentication.k8s.io', ['tokenreviews'], ['create']),
  rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
];

/** In the operator's own namespace. */
export const OWN_NAMESPACE_RULES: readonly PolicyRule[] = [
  // Those of shards and of replicas too; watched, so that a hand-over is noticed at once.
  rule('coordination.k8s.io', ['leases'], VERBS),
  rule('events.k8s.io', ['events'], ['create', 'patch', 'update']),
];

/**
 * What people get through the cluster's view, edit and admin roles. A model's bytes can be worth
 * more than the record of it, so viewers see the one and not the other.
 */
export const userRules = (
  plurals: readonly string[],
): Readonly<Record<'view' | 'edit' | 'admin', readonly PolicyRule[]>> => {
  const write = [
    rule(GROUP, plurals, ['create', 'update', 'patch', 'delete', 'deletecollection']),
    rule(GROUP, ['modeldeployments/scale'], ['get', 'update', 'patch']),
    rule(GROUP, ['modelversions/artifact'], ['get']),
    // What sends outcomes needs this and nothing else; who may edit the test may send them too.
    rule(GROUP, ['abtests/outcomes'], ['create']),
    // The same for the truth about predictions.
    rule(GROUP, ['modeldeployments/labels'], ['create']),
  ];
  return { view: [rule(GROUP, plurals, READ)], edit: write, admin: write };
};

/** One rule for each resource, and one for all resources that have the same verbs. */
const merged = (rules: readonly PolicyRule[]): readonly PolicyRule[] => {
  const verbsOf = new Map<string, Set<string>>();
  for (const { apiGroups, resources, verbs } of rules) {
    for (const key of apiGroups.flatMap((group) => resources.map((name) => `${group}|${name}`))) {
      const known = verbsOf.get(key) ?? new Set<string>();
      verbs.forEach((verb) => known.add(verb));
      verbsOf.set(key, known);
    }
  }
  const resourcesOf = new Map<string, string[]>();
  for (const [key, verbs] of [...verbsOf].sort(([a], [b]) => a.localeCompare(b))) {
    const [group = '', resource = ''] = key.split('|');
    const same = JSON.stringify([group, inOrder(verbs)]);
    resourcesOf.set(same, [...(resourcesOf.get(same) ?? []), resource]);
  }
  return [...resourcesOf].map(([same, resources]) => {
    const [group, verbs] = JSON.parse(same) as [string, string[]];
    return rule(group, resources, verbs);
  });
};

const inOrder = (verbs: ReadonlySet<string>): readonly string[] => [
  ...VERBS.filter((verb) => verbs.has(verb)),
  ...[...verbs].filter((verb) => !VERBS.includes(verb)).sort(),
];
