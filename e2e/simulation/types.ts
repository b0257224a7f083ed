import { deployment } from '../../crds/schema/deployment.ts';
import { experiment } from '../../crds/schema/experiment.ts';
import { modelAlias } from '../../crds/schema/model-alias.ts';
import { modelVersion } from '../../crds/schema/model-version.ts';
import { model } from '../../crds/schema/model.ts';
import { kinds } from '../../crds/schema/all.ts';
import { pipeline } from '../../crds/schema/pipeline.ts';
import {
  APPS_DEPLOYMENT,
  CONFIG_MAP,
  CORE_EVENT,
  EVENT,
  HORIZONTAL_POD_AUTOSCALER,
  JOB,
  LEASE,
  POD,
  POD_DISRUPTION_BUDGET,
  REPLICA_SET,
  SERVICE,
} from '../../operator/runtime/kubernetes-types.ts';
import { ownType } from '../../operator/runtime/own-type.ts';
import type { ResourceType } from '../../operator/runtime/resource-type.ts';

export const EXPERIMENT = ownType(experiment);
export const MODEL = ownType(model);
export const MODEL_VERSION = ownType(modelVersion);
export const MODEL_ALIAS = ownType(modelAlias);
export const DEPLOYMENT = ownType(deployment);
export const PIPELINE = ownType(pipeline);

export const OWN_TYPES: readonly ResourceType[] = kinds.map(ownType);

/** What the operator makes for its objects. */
export const CHILD_TYPES: readonly ResourceType[] = [
  JOB,
  SERVICE,
  POD_DISRUPTION_BUDGET,
  HORIZONTAL_POD_AUTOSCALER,
  APPS_DEPLOYMENT,
];

export const SIMULATED_TYPES: readonly ResourceType[] = [
  ...OWN_TYPES,
  ...CHILD_TYPES,
  POD,
  REPLICA_SET,
  CONFIG_MAP,
  EVENT,
  CORE_EVENT,
  LEASE,
];

export const NAMESPACE_NAME = 'demo';
export const LEASE_KEY = { namespace: 'mlops-system', name: 'mlops-operator' } as const;
