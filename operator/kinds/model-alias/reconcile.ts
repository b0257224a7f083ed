import { modelAlias, type ModelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { model } from '../../../crds/schema/model.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Pass, Reconciler, Watch, WatchLookup } from '../../runtime/reconciler.ts';
import { keyOf, type KubernetesObject, type ObjectKey } from '../../runtime/resource-type.ts';
import { holderOf, modelKeyOf, versionsOf, type ModelKey } from '../model-versions.ts';
import { decide, type Observation } from './decide.ts';

const MODEL = ownType(model);
const MODEL_VERSION = ownType(modelVersion);

export const modelAliasReconciler = (): Reconciler<ModelAlias> => ({
  type: ownType(modelAlias),
  fieldManager: 'mlops-modelalias',
  owns: [],
  watches: [
    wakesAliasesOf(MODEL_VERSION, (object) => modelKeyOf(object as ModelVersion)),
    wakesAliasesOf(MODEL, keyOf),
  ],
  permissions: [],
  reconcile: async (object, pass) => decide(observe(object, pass)),
});

const observe = (alias: ModelAlias, pass: Pass): Observation => {
  const model = modelKeyOf(alias);
  const versions = versionsOf(pass.cachedList<ModelVersion>(MODEL_VERSION), model);
  return {
    alias,
    modelExists: pass.cached(MODEL, model) !== undefined,
    version: holderOf(versions, alias.spec.version),
  };
};

const wakesAliasesOf = (
  type: Watch['type'],
  modelOf: (object: KubernetesObject) => ModelKey,
): Watch => ({
  type,
  keysFor: (object, lookup) => aliasesOf(modelOf(object), lookup),
});

const aliasesOf = (model: ModelKey, lookup: WatchLookup): readonly ObjectKey[] =>
  lookup
    .own<ModelAlias>(model.namespace)
    .filter((alias) => modelKeyOf(alias).name === model.name)
    .map(keyOf);
