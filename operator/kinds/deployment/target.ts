import { findCondition } from '../../../crds/schema/conditions.ts';
import type { Reason } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { holderOf, isReady, modelKeyOf } from '../model-versions.ts';

/** The version a Deployment asks for, or why there is none to roll to. */
export type Wanted =
  | { readonly version: ModelVersion; readonly fault?: undefined }
  | { readonly version?: ModelVersion; readonly fault: Fault };

export type Fault = {
  readonly reason: Reason;
  readonly message: string;
  /** Whether it may become good without anybody changing this object. */
  readonly waits: boolean;
};

export type Registry = {
  readonly aliases: readonly ModelAlias[];
  /** Versions of the Model. */
  readonly versions: readonly ModelVersion[];
};

export const wantedVersion = (deployment: Deployment, registry: Registry): Wanted => {
  const { model } = deployment.spec.predictor;
  const key = modelKeyOf({ metadata: deployment.metadata, spec: model });
  if (key.namespace !== deployment.metadata.namespace) {
    return fault(
      'NotShared',
      `spec.predictor.model.modelRef.namespace is ${key.namespace}, and Model ${key.name} there is not shared with ${deployment.metadata.namespace}; leave the field out to use a Model of this namespace.`,
      false,
    );
  }
  const named = versionNamed(deployment, registry);
  if ('reason' in named) return { fault: named };
  const version = holderOf(registry.versions, named.version);
  if (version === undefined || version.metadata.deletionTimestamp !== undefined) {
    return fault(
      'VersionNotFound',
      `Model ${key.name} has no version ${named.version}${named.by}; create a ModelVersion with it, or ask for another one.`,
      true,
    );
  }
  return judged(version);
};

const versionNamed = (
  deployment: Deployment,
  { aliases }: Registry,
): { readonly version: string; readonly by: string } | Fault => {
  const { model } = deployment.spec.predictor;
  if (model.alias === undefined) {
    return { version: model.version ?? '', by: ' (spec.predictor.model.version)' };
  }
  const alias = aliases.find(({ spec }) => spec.alias === model.alias);
  const { promotion } = deployment.spec;
  if (alias === undefined && promotion !== undefined) {
    return {
      reason: 'AwaitingPromotion',
      message: `No version has come from Deployment ${promotion.from.name} yet; condition Promoted says what it waits for.`,
      waits: true,
    };
  }
  if (alias === undefined) {
    return {
      reason: 'AliasNotFound',
      message: `Model ${model.modelRef.name} has no alias ${model.alias}; create ModelAlias ${model.modelRef.name}-${model.alias}, or let an Experiment with register.alias set it.`,
      waits: true,
    };
  }
  return { version: alias.spec.version, by: `, which alias ${model.alias} names` };
};

const judged = (version: ModelVersion): Wanted => {
  const { name } = version.metadata;
  const { modelFormat, storageUri } = version.spec;
  if (modelFormat.name !== 'onnx') {
    return fault(
      'FormatNotServable',
      `ModelVersion ${name} has format ${modelFormat.name}; only onnx can be served. Convert the model and register it as another version.`,
      false,
      version,
    );
  }
  if (storageUri.endsWith('/')) {
    return fault(
      'FormatNotServable',
      `ModelVersion ${name} is a folder (${storageUri}); this release serves a single .onnx file. Register the file as another version.`,
      false,
      version,
    );
  }
  if (isReady(version)) return { version };
  const why = findCondition(version.status?.conditions, 'Ready');
  const words = why === undefined ? '' : ` (${why.reason}: ${why.message})`;
  return fault('WaitingForVersion', `ModelVersion ${name} is not Ready${words}.`, true, version);
};

const fault = (
  reason: Reason,
  message: string,
  waits: boolean,
  version?: ModelVersion,
): Wanted => ({
  fault: { reason, message, waits },
  ...(version === undefined ? {} : { version }),
});
