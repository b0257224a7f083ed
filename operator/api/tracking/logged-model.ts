import { cleanArtifactPath, pathFault } from '../../artifacts/artifact-path.ts';
import { runArtifactKey } from '../../artifacts/locations.ts';
import type { Run } from '../../kinds/experiment/run-store.ts';
import { MlflowError } from './mlflow-error.ts';
import { MODEL_TAG } from '../../kinds/experiment/artifact-record.ts';

/**
 * An MLflow "logged model". Ours belong to the run that made them: the record is a tag of the run,
 * the bytes lie among its artifacts, in a folder of the model's name, so that an Experiment can
 * register `<name>/model.onnx` as it registers any other artifact.
 */
export type LoggedModel = {
  readonly id: string;
  readonly name: string;
  /** Folder in the run's artifacts. */
  readonly folder: string;
  readonly modelType: string;
  readonly status: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Those that the run does not have with the same value. */
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Set once the run names the model as its output. */
  readonly step?: number;
};

const ID = /^m-([0-9a-f]{32})[0-9a-f]{12}$/;

/** The id holds the run's, which is all it takes to find the model again. */
export const newModelId = (runId: string, random: string): string =>
  `m-${runId}${random.slice(-12)}`;

export const runIdOfModel = (modelId: string): string => {
  const runId = ID.exec(modelId)?.[1];
  if (runId !== undefined) return runId;
  throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `Logged model with id=${modelId} not found.`);
};

export const modelTag = (model: LoggedModel): Readonly<Record<string, string>> => ({
  [MODEL_TAG + model.id]: JSON.stringify(model),
});

export const modelsOf = (run: Run): readonly LoggedModel[] =>
  Object.entries(run.tags)
    .filter(([key]) => key.startsWith(MODEL_TAG))
    .map(([, value]) => JSON.parse(value) as LoggedModel)
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));

export const modelOf = (run: Run, modelId: string): LoggedModel => {
  const value = run.tags[MODEL_TAG + modelId];
  if (value !== undefined) return JSON.parse(value) as LoggedModel;
  throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `Logged model with id=${modelId} not found.`);
};

/** The model's name, unless another model of the run has that folder already. */
export const folderFor = (run: Run, name: string, id: string): string => {
  const fault = pathFault(name);
  if (fault !== undefined) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `The model's name is refused: ${fault.message}.`,
    );
  }
  const folder = cleanArtifactPath(name);
  const taken = modelsOf(run).some((each) => each.folder === folder);
  return taken ? `${folder}-${id.slice(-12)}` : folder;
};

export const modelToWire = (run: Run, model: LoggedModel): object => ({
  info: {
    model_id: model.id,
    experiment_id: run.experiment.uid,
    name: model.name,
    creation_timestamp_ms: model.createdAt,
    last_updated_timestamp_ms: model.updatedAt,
    artifact_uri: `mlflow-artifacts:/${runArtifactKey(run.experiment.namespace, run.runId, model.folder)}`,
    status: model.status,
    model_type: model.modelType,
    source_run_id: run.runId,
    tags: Object.entries(model.tags).map(([key, value]) => ({ key, value })),
  },
  data: {
    params: Object.entries({ ...run.params, ...model.params }).map(([key, value]) => ({
      key,
      value,
    })),
    metrics: [],
  },
});
