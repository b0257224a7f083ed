/** How requests reach the variants of a Deployment: Istio's VirtualService, or pods behind one Service. */
import type { Deployment } from '../../../crds/schema/deployment.ts';
import { covers } from '../../runtime/coverage.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import type { HeaderRoute, MirrorRoute } from '../../traffic/step-plan.ts';
import { BUCKET_HEADER, VARIANT_HEADER } from '../../traffic/unit-headers.ts';
import { shortHash } from '../names-of-children.ts';
import { CANDIDATE, MEMORY, nameOfVariant, SERVICE_PORT, STABLE } from './names.ts';

/** What the candidate gets. */
export type Split = {
  /** Percent of the requests. */
  readonly weight: number;
  /** Copies of so many percent of the requests go to it. */
  readonly mirrors: readonly MirrorRoute[];
  readonly headerRoutes: readonly HeaderRoute[];
  /** Which units each candidate of an ABTest gets, by the bucket the gateway puts them in. */
  readonly assigned: readonly { readonly variant: string; readonly buckets: string }[];
  /** What the stable pods are called in the header. */
  readonly stableName: string;
};

export const NO_SPLIT: Split = {
  ...{ weight: 0, mirrors: [], headerRoutes: [] },
  ...{ assigned: [], stableName: STABLE },
};

type Route = {
  readonly name?: string;
  readonly match?: readonly object[];
  readonly route: readonly { readonly destination: { readonly host: string }; weight?: number }[];
  readonly mirrors?: readonly object[];
};

export type VirtualService = KubernetesObject & {
  readonly spec: {
    readonly hosts?: readonly string[];
    readonly gateways?: readonly string[];
    readonly http?: readonly Route[];
  };
};

export const istioOf = ({ spec }: Deployment) => spec.strategy?.canary?.trafficRouting?.istio;

/**
 * The route of all requests that pass a gateway or a sidecar. Callers that pass neither reach the
 * Service of the stable pods by itself. (Two Services instead of subsets of one: see decision 0010.)
 */
export const virtualService = (
  deployment: Deployment,
  split: Split,
  takenHost?: string,
): VirtualService => {
  const { hosts = [] } = istioOf(deployment) ?? {};
  const { name, namespace } = deployment.metadata;
  const spec = {
    hosts: [hostOf(deployment, STABLE), ...hosts.filter((host) => host !== takenHost)],
    gateways: ['mesh', ...gatewaysOf(deployment)],
    http: [
      ...split.headerRoutes.map((route) => headerRoute(deployment, route)),
      ...split.assigned.map((assigned) => assignedRoute(deployment, assigned)),
      weighted(deployment, split),
    ],
  };
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      annotations: { [MEMORY.route]: shortHash(JSON.stringify(spec)) },
    },
    spec,
  };
};

const gatewaysOf = (deployment: Deployment): readonly string[] =>
  (istioOf(deployment)?.gateways ?? []).filter((gateway) => gateway !== 'mesh');

const hostOf = ({ metadata: { name, namespace } }: Deployment, variant: string): string =>
  `${nameOfVariant(name, variant)}.${namespace}.svc.cluster.local`;

type Destination = { readonly weight?: number; readonly name?: string };

const destination = (
  deployment: Deployment,
  variant: string,
  { weight, name = variant }: Destination = {},
) => ({
  destination: { host: hostOf(deployment, variant), port: { number: SERVICE_PORT } },
  headers: {
    request: { set: { [VARIANT_HEADER]: name } },
    response: { set: { [VARIANT_HEADER]: name } },
  },
  ...(weight === undefined ? {} : { weight }),
});

const headerRoute = (deployment: Deployment, { name, match = [] }: HeaderRoute): Route => ({
  name: `header-${name}`,
  match: [
    {
      headers: Object.fromEntries(
        match.map(({ headerName, exact, prefix, regex }) => [
          headerName.toLowerCase(),
          exact !== undefined ? { exact } : prefix !== undefined ? { prefix } : { regex },
        ]),
      ),
    },
  ],
  route: [destination(deployment, CANDIDATE)],
});

/** Units of these buckets, which a filter at the gateway has put them in; callers with a sidecar could name any. */
const assignedRoute = (
  deployment: Deployment,
  { variant, buckets }: Split['assigned'][number],
): Route => ({
  name: `test-${variant}`,
  match: [{ headers: { [BUCKET_HEADER]: { regex: buckets } }, gateways: gatewaysOf(deployment) }],
  route: [destination(deployment, variant)],
});

const weighted = (deployment: Deployment, { weight, mirrors, stableName }: Split): Route => ({
  name: 'weighted',
  route: [
    ...(weight < 100
      ? [destination(deployment, STABLE, { weight: 100 - weight, name: stableName })]
      : []),
    ...(weight > 0 ? [destination(deployment, CANDIDATE, { weight })] : []),
  ],
  ...(mirrors.length === 0
    ? {}
    : { mirrors: mirrors.map(({ percentage = 100 }) => mirror(deployment, percentage)) }),
});

const mirror = (deployment: Deployment, percentage: number) => ({
  destination: { host: hostOf(deployment, CANDIDATE), port: { number: SERVICE_PORT } },
  percentage: { value: percentage },
});

/** The candidate's share as a VirtualService has it; 0 where there is none. */
export const routedWeight = (deployment: Deployment, live: VirtualService | undefined): number => {
  const candidate = hostOf(deployment, CANDIDATE);
  const route = live?.spec.http?.find(({ name }) => name === 'weighted')?.route ?? [];
  return route.find(({ destination: { host } }) => host === candidate)?.weight ?? 0;
};

/** Somebody else changed or deleted what we wrote last, which is what is wanted still. */
export const wasChangedByHand = (
  live: VirtualService | undefined,
  wanted: VirtualService,
  written: string | undefined,
): boolean =>
  written !== undefined &&
  written === wanted.metadata.annotations?.[MEMORY.route] &&
  (live === undefined || !covers(live.spec, wanted.spec));

/** Another namespace's route that claims one of our hosts on one of our gateways, and came first. */
export const hostTakenBy = (
  deployment: Deployment,
  others: readonly VirtualService[],
): { readonly host: string; readonly by: VirtualService } | undefined => {
  const { namespace, creationTimestamp = '' } = deployment.metadata;
  for (const by of others) {
    const isOlder = (by.metadata.creationTimestamp ?? '') <= creationTimestamp;
    if (by.metadata.namespace === namespace || !isOlder) continue;
    const host = sharedHost(deployment, by);
    if (host !== undefined) return { host, by };
  }
  return undefined;
};

/** A host of ours that the route claims, too, at one of our gateways. */
const sharedHost = (deployment: Deployment, { spec }: VirtualService): string | undefined => {
  const { hosts = [], gateways = [] } = istioOf(deployment) ?? {};
  const sharesGateway = (spec.gateways ?? ['mesh']).some(
    (gateway) => gateway !== 'mesh' && gateways.includes(gateway),
  );
  return sharesGateway ? spec.hosts?.find((host) => hosts.includes(host)) : undefined;
};
