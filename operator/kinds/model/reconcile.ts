import { modelAlias, type ModelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { model, type Model } from '../../../crds/schema/model.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Pass, Reconciler, Watch } from '../../runtime/reconciler.ts';
import { modelKeyOf, versionsOf } from '../model-versions.ts';
import { decide, type Observation } from './decide.ts';

const MODEL_VERSION = ownType(modelVersion);
const MODEL_ALIAS = ownType(modelAlias);

export const modelReconciler = (): Reconciler<Model> => ({
  type: ownType(model),
  fieldManager: 'mlops-model',
  owns: [],
  watches: [wakesItsModel(MODEL_VERSION), wakesItsModel(MODEL_ALIAS)],
  permissions: [],
  reconcile: async (object, pass) => decide(observe(object, pass)),
});

const observe = (object: Model, pass: Pass): Observation => {
  const { namespace, name } = object.metadata;
  return {
    versions: versionsOf(pass.cachedList<ModelVersion>(MODEL_VERSION), { namespace, name }),
    aliases: pass.cachedList<ModelAlias>(MODEL_ALIAS).filter((each) => {
      const key = modelKeyOf(each);
      return key.name === name && key.namespace === namespace;
    }),
  };
};

const wakesItsModel = (type: Watch['type']): Watch => ({
  type,
  keysFor: (object) => [modelKeyOf(object as ModelVersion | ModelAlias)],
});
