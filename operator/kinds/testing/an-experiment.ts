import type { Experiment } from '../../../crds/schema/experiment.ts';
import { API_VERSION } from '../../../crds/schema/resource.ts';
import { meta } from './builders.ts';

type Spec = Experiment['spec'];

/** `digits-train`: one container that trains, nothing else asked for. */
export const anExperiment = (
  spec: Partial<Spec> = {},
  metadata: Parameters<typeof meta>[1] = {},
): Experiment => ({
  apiVersion: API_VERSION,
  kind: 'Experiment',
  metadata: meta('digits-train', metadata),
  spec: {
    parallelTrialCount: 3,
    maxFailedTrialCount: 3,
    suspend: false,
    trialTemplate: aTemplate(),
    ...spec,
  },
});

export const aTemplate = (container: object = {}, job: object = {}): Spec['trialTemplate'] => ({
  retain: false,
  trialSpec: {
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: {
      template: { spec: { containers: [{ name: 'train', image: 'trainer:1', ...container }] } },
      ...job,
    },
  },
});

/** Registers model.onnx as a version of Model digits and sets the alias champion. */
export const aRegister = (
  register: Partial<NonNullable<Spec['register']>> = {},
): NonNullable<Spec['register']> => ({
  modelRef: { name: 'digits' },
  bump: 'minor',
  artifactPath: 'model.onnx',
  modelFormat: { name: 'onnx' },
  alias: { name: 'champion', move: 'IfUnset' },
  ...register,
});
