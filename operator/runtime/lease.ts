import type { KubernetesObject, ObjectKey } from './resource-type.ts';

/** coordination.k8s.io/v1. */
export type Lease = KubernetesObject & { readonly spec?: LeaseSpec };

export type LeaseSpec = {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
};

export const LEASE_API_VERSION = 'coordination.k8s.io/v1';

/** Longer leases than this are taken for corrupt. */
const LONGEST_SECONDS = 120;

/** As its last holder left it: nobody's, from now on. (client-go marks it the same way.) */
export const RELEASED: LeaseSpec = { holderIdentity: '', leaseDurationSeconds: 1 };

export const isReleased = ({ spec }: Lease): boolean =>
  spec?.holderIdentity === RELEASED.holderIdentity &&
  spec?.leaseDurationSeconds === RELEASED.leaseDurationSeconds;

export const holderOf = ({ spec }: Lease): string => spec?.holderIdentity ?? '';

/**
 * How long a lease must be seen unchanged before it has run out: as long as ours, or as its holder
 * counts when that is longer (another replica may be configured otherwise). What is absurd is not
 * believed: it would lock everybody out, or nobody.
 */
export const lastsMs = ({ spec }: Lease, ownMs: number): number => {
  const seconds = spec?.leaseDurationSeconds ?? 0;
  return seconds > 0 && seconds <= LONGEST_SECONDS ? Math.max(ownMs, seconds * 1000) : ownMs;
};

export const leaseObject = (
  { namespace, name }: ObjectKey,
  spec: LeaseSpec,
  labels?: Readonly<Record<string, string>>,
): Lease => ({
  apiVersion: LEASE_API_VERSION,
  kind: 'Lease',
  metadata: { namespace, name, ...(labels !== undefined && { labels: { ...labels } }) },
  spec,
});

/** `metav1.MicroTime`. */
export const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
