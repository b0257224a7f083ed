/** Whether the Deployment before can be followed, and what it serves. Pure. */
import { findCondition, type Reason } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import { modelKeyOf } from '../model-versions.ts';

export type Fault = { readonly reason: Reason; readonly message: string };

const modelOf = ({ metadata, spec }: Deployment) =>
  modelKeyOf({ metadata, spec: spec.predictor.model });

/** Why nothing can ever come this way, unless somebody changes an object. */
export const promotionFault = (
  deployment: Deployment,
  all: readonly Deployment[],
  alias: ModelAlias | undefined,
): Fault | undefined =>
  modelFault(deployment) ??
  sourceFault(deployment, all) ??
  circleFault(deployment, all) ??
  ownerFault(deployment, all) ??
  pinnedFault(alias);

const modelFault = (deployment: Deployment): Fault | undefined => {
  const { name, namespace } = modelOf(deployment);
  if (namespace === deployment.metadata.namespace) return undefined;
  return {
    reason: 'NotShared',
    message: `spec.predictor.model.modelRef.namespace is ${namespace}, and Model ${name} there is not shared with ${deployment.metadata.namespace}; leave the field out`,
  };
};

const fromOf = ({ spec }: Deployment): string => spec.promotion?.from.name ?? '';

const named = (all: readonly Deployment[], name: string): Deployment | undefined =>
  all.find(({ metadata }) => metadata.name === name);

const sourceFault = (deployment: Deployment, all: readonly Deployment[]): Fault | undefined => {
  const from = fromOf(deployment);
  const source = named(all, from);
  if (source === undefined) {
    return {
      reason: 'DeploymentNotFound',
      message: `there is no Deployment ${from} (modeldeployment) in namespace ${deployment.metadata.namespace}; create it, or change spec.promotion.from`,
    };
  }
  const [ours, theirs] = [modelOf(deployment), modelOf(source)];
  if (ours.name === theirs.name && ours.namespace === theirs.namespace) return undefined;
  return {
    reason: 'PromotionInvalid',
    message: `Deployment ${from} serves Model ${theirs.name} and this one Model ${ours.name}; name a Deployment of the same Model in spec.promotion.from`,
  };
};

/** This Deployment comes before itself, or one before it follows the alias that would be moved. */
const circleFault = (deployment: Deployment, all: readonly Deployment[]): Fault | undefined => {
  const { name } = deployment.metadata;
  const { alias } = deployment.spec.predictor.model;
  const path = [name];
  let before = named(all, fromOf(deployment));
  while (before !== undefined && !path.includes(before.metadata.name)) {
    path.push(before.metadata.name);
    if (before.spec.predictor.model.alias === alias) {
      return circle(
        `Deployment ${before.metadata.name}, which comes before this one, follows alias ${alias ?? ''} too; give each an alias of its own`,
      );
    }
    before = named(all, fromOf(before));
  }
  if (before === undefined || before.metadata.name !== name) return undefined;
  return circle(
    `${[...path, name].join(' follows ')}; let one of them follow an alias that people or Experiments move`,
  );
};

const circle = (message: string): Fault => ({ reason: 'PromotionCycle', message });

/** Two that move one alias would move it to and fro; the older one keeps it. */
const ownerFault = (deployment: Deployment, all: readonly Deployment[]): Fault | undefined => {
  const { alias } = deployment.spec.predictor.model;
  const ageOf = ({ metadata }: Deployment) => `${metadata.creationTimestamp} ${metadata.name}`;
  const owner = all.find(
    (other) =>
      other.metadata.name !== deployment.metadata.name &&
      other.spec.promotion !== undefined &&
      other.spec.predictor.model.alias === alias &&
      modelOf(other).name === modelOf(deployment).name &&
      ageOf(other) < ageOf(deployment),
  );
  if (owner === undefined) return undefined;
  return {
    reason: 'PromotionInvalid',
    message: `alias ${alias ?? ''} is moved by the promotion of Deployment ${owner.metadata.name}, which is older; give this Deployment an alias of its own`,
  };
};

const pinnedFault = (alias: ModelAlias | undefined): Fault | undefined => {
  if (alias?.spec.pinned !== true) return undefined;
  return {
    reason: 'AliasPinned',
    message: `ModelAlias ${alias.metadata.name} is pinned, so that no promotion moves it; unpin it, or move it where it is kept`,
  };
};

/** What a Deployment serves healthily, and since when it is Ready; or why it does not. */
export const servedHealthily = ({
  metadata,
  status,
}: Deployment): { readonly version: string; readonly readySince: string } | Fault => {
  const ready = findCondition(status?.conditions, 'Ready');
  const notReady = (why: string): Fault => ({
    reason: 'SourceNotReady',
    message: `Deployment ${metadata.name} ${why}`,
  });
  if (metadata.deletionTimestamp !== undefined) return notReady('is being deleted');
  if (ready === undefined || ready.observedGeneration !== metadata.generation) {
    return notReady('has not been looked at since its last change');
  }
  if (ready.status !== 'True') return notReady(`is not Ready (${ready.reason}: ${ready.message})`);
  if (status?.servedVersion === undefined) return notReady('has no pod that serves');
  return { version: status.servedVersion, readySince: ready.lastTransitionTime };
};
