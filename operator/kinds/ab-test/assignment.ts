/** The filter at the gateway that keeps a unit on its variant, from its beginning to its end. */
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import { ENVOY_FILTER, GATEWAY, VIRTUAL_SERVICE } from '../../runtime/istio-types.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import type { KubernetesObject, ObjectKey } from '../../runtime/resource-type.ts';
import { assignmentFilter } from './assignment-filter.ts';

type Gateway = KubernetesObject & {
  readonly spec?: { readonly selector?: Readonly<Record<string, string>> };
};
type VirtualService = KubernetesObject & { readonly spec?: { readonly hosts?: readonly string[] } };

/** A name that nobody can have chosen before. */
const nameOf = ({ metadata }: ABTest): string => `mlops-abtest-${metadata.uid}`;

/** Why the units of a test are not told apart as they should be. */
export type AssignmentFault = {
  readonly words: string;
  /** No filter can be written for all hosts, so that clients could choose their bucket on some. */
  readonly isUnsafe: boolean;
};

/** Undefined once the filter is written at each gateway of the Deployment, for all hosts that are routed. */
export const writeAssignment = async (
  test: ABTest,
  deployment: Deployment,
  pass: Pass,
): Promise<AssignmentFault | undefined> => {
  const { name } = deployment.metadata;
  const hosts = routedHosts(deployment, pass);
  const wildcard = hosts.find((host) => host.includes('*'));
  if (wildcard !== undefined) {
    const words = `host ${wildcard} of Deployment ${name} may cover hosts of others: name each host in spec.strategy.canary.trafficRouting.istio.hosts`;
    return { words, isUnsafe: true };
  }
  const unreachable = isReachable(deployment, hosts)
    ? undefined
    : `no host of Deployment ${name} is routed at a gateway: name one in spec.strategy.canary.trafficRouting.istio.hosts (its condition TrafficRouting says what keeps it)`;
  if (unreachable !== undefined && test.status?.startTime === undefined) {
    return { words: unreachable, isUnsafe: true };
  }
  const missing = await writeFilters(test, deployment, hosts, pass);
  if (unreachable !== undefined) missing.push(unreachable);
  return missing.length === 0 ? undefined : { words: missing.join('; '), isUnsafe: false };
};

/** A filter at each gateway; gives what is wrong with those that have none. */
const writeFilters = async (
  test: ABTest,
  deployment: Deployment,
  hosts: readonly string[],
  pass: Pass,
): Promise<string[]> => {
  const missing: string[] = [];
  for (const key of hosts.length === 0 ? [] : gatewaysOf(deployment)) {
    const gateway = await pass.live.get<Gateway>(GATEWAY, key);
    const selector = gateway?.spec?.selector;
    if (selector === undefined) {
      missing.push(`there is no Gateway ${key.namespace}/${key.name}`);
      continue;
    }
    const filter = assignmentFilter({
      ...{ name: nameOf(test), gatewayNamespace: key.namespace, gatewaySelector: selector },
      ...{ hosts, salt: test.metadata.uid, unit: test.spec.unit },
    });
    await pass.apply(ENVOY_FILTER, filter, { owned: false, elsewhere: true });
  }
  return missing;
};

/**
 * All that its route really has, or clients of one that is left out could choose their bucket; one that
 * somebody else claims is not in it, and not ours to touch.
 */
const routedHosts = ({ metadata }: Deployment, pass: Pass): readonly string[] => {
  const { namespace, name } = metadata;
  return pass.cached<VirtualService>(VIRTUAL_SERVICE, { namespace, name })?.spec?.hosts ?? [];
};

const isReachable = ({ spec }: Deployment, routed: readonly string[]): boolean =>
  (spec.strategy?.canary?.trafficRouting?.istio?.hosts ?? []).some((host) => routed.includes(host));

/** `namespace/name`, or the name of one beside the route; the mesh has none. */
const gatewaysOf = ({ metadata, spec }: Deployment): readonly ObjectKey[] =>
  (spec.strategy?.canary?.trafficRouting?.istio?.gateways ?? [])
    .filter((gateway) => gateway !== 'mesh')
    .map((gateway) => {
      const [one = '', other] = gateway.split('/');
      return other === undefined
        ? { namespace: metadata.namespace, name: one }
        : { namespace: one, name: other };
    });

/** Whether units still go to candidates of the test. */
export const isRouted = ({ spec }: ABTest, deployment: Deployment | undefined): boolean =>
  (deployment?.status?.weights ?? []).some((each) =>
    spec.candidates.some(({ name }) => name === each.name),
  );

/**
 * Takes the filter away wherever it is, but not before its buckets are routed nowhere any more, or clients
 * could choose theirs. Gives whether it is gone.
 */
export const dropAssignment = async (
  test: ABTest,
  deployment: Deployment | undefined,
  pass: Pass,
): Promise<boolean> => {
  const its = pass
    .cachedEverywhere(ENVOY_FILTER)
    .filter(({ metadata }) => metadata.name === nameOf(test));
  if (its.length === 0) return true;
  if (isRouted(test, deployment)) return false;
  for (const filter of its) await pass.delete(ENVOY_FILTER, filter);
  return true;
};
