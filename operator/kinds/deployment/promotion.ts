/** Whether the version of the Deployment before takes over here (decision 0014). Pure. */
import { findCondition, timestamp, type Reason } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import type { Job } from '../kubernetes-objects.ts';
import { holderOf, isReady, sameVersion } from '../model-versions.ts';
import { gateWait, type GateWait } from './gates.ts';
import { promotionFault, servedHealthily } from './promotion-source.ts';

export type PromotionSeen = {
  readonly deployment: Deployment;
  /** All of the namespace. */
  readonly deployments: readonly Deployment[];
  /** Versions of the Model. */
  readonly versions: readonly ModelVersion[];
  /** The alias that this Deployment follows. */
  readonly alias: ModelAlias | undefined;
  /** Those that belong to this Deployment. */
  readonly jobs: readonly Job[];
};

/** A version that the source serves, and since when. */
type Considered = { readonly version: ModelVersion; readonly since: string };

export type Promotion =
  | { readonly is: 'refused' | 'sourceless'; readonly reason: Reason; readonly message: string }
  | (Considered & { readonly is: 'at-gate'; readonly index: number; readonly wait: GateWait })
  /** What is said about the version itself does not let it go on. */
  | (Considered & { readonly is: 'held'; readonly reason: Reason; readonly message: string })
  /** The alias is to name it; `before` is what it names now. */
  | (Considered & { readonly is: 'moves'; readonly before: string | undefined })
  | (Considered & { readonly is: 'promoted' })
  /** It was promoted, and somebody moved the alias since. */
  | (Considered & { readonly is: 'moved-away'; readonly to: string });

/** Undefined where the Deployment follows no other. */
export const promotionOf = (seen: PromotionSeen, now: Date): Promotion | undefined => {
  const { deployment, deployments, versions, alias } = seen;
  const { promotion } = deployment.spec;
  if (promotion === undefined) return undefined;
  const fault = promotionFault(deployment, deployments, alias);
  const source = deployments.find(({ metadata }) => metadata.name === promotion.from.name);
  if (fault !== undefined || source === undefined) {
    return { is: 'refused', ...(fault ?? NO_SOURCE) };
  }
  const served = servedHealthily(source);
  if ('reason' in served) return { is: 'sourceless', ...served };
  const version = holderOf(versions, served.version);
  if (version === undefined || version.metadata.deletionTimestamp !== undefined) {
    const message = `version ${served.version}, which Deployment ${source.metadata.name} serves, has no ModelVersion any more`;
    return { is: 'sourceless', reason: 'VersionNotFound', message };
  }
  const since = seenSince(deployment, version, served.readySince, now);
  return considered(seen, source, { version, since }, now);
};

const NO_SOURCE = { reason: 'DeploymentNotFound', message: 'there is no source' } as const;

const considered = (
  { deployment, alias, jobs }: PromotionSeen,
  source: Deployment,
  { version, since }: Considered,
  now: Date,
): Promotion => {
  const named = alias?.spec.version;
  const isMarked = alias?.metadata.annotations?.[ANNOTATIONS.promoted] === version.spec.version;
  if (named !== undefined && sameVersion(named, version.spec.version)) {
    // Marked also where somebody moved it: else it would be moved again after they moved it back.
    return isMarked
      ? { is: 'promoted', version, since }
      : { is: 'moves', version, since, before: named };
  }
  if (isMarked && named !== undefined) return { is: 'moved-away', version, since, to: named };
  const gate = gateWait({ deployment, source, version, since, jobs }, now);
  if (gate !== undefined) return { is: 'at-gate', version, since, ...gate };
  const held = heldBack(version);
  if (held !== undefined) return { is: 'held', version, since, ...held };
  return { is: 'moves', version, since, before: named };
};

/** Approval comes from elsewhere; a version that nobody asks about has no such condition, or a True one. */
const heldBack = (
  version: ModelVersion,
): { readonly reason: Reason; readonly message: string } | undefined => {
  const { name } = version.metadata;
  const approved = findCondition(version.status?.conditions, 'Approved');
  if (approved !== undefined && approved.status !== 'True') {
    const words = `ModelVersion ${name} is not approved (${approved.reason}: ${approved.message})`;
    return { reason: 'AwaitingApproval', message: words };
  }
  if (isReady(version)) return undefined;
  return { reason: 'VersionNotReady', message: `ModelVersion ${name} is not Ready` };
};

/**
 * Since when this Deployment has seen the source serve the version without a break. Ready alone does not
 * say it: while no operator ran, the source may have changed its version and stayed Ready.
 */
const seenSince = (
  { spec, status }: Deployment,
  version: ModelVersion,
  readySince: string,
  now: Date,
): string => {
  const before = status?.promotion;
  const isTheSame =
    before?.since !== undefined &&
    before.version === version.spec.version &&
    before.from === spec.promotion?.from.name;
  const first = isTheSame ? before.since : timestamp(now);
  return Date.parse(first) >= Date.parse(readySince) ? first : readySince;
};
