import { namespacePrefix, runPrefix } from '../../artifacts/locations.ts';
import type { Metric, Run } from '../../kinds/experiment/run-store.ts';
import { isRecordTag } from '../../kinds/experiment/artifact-record.ts';
import { MlflowError } from './mlflow-error.ts';
import { modelsOf } from './logged-model.ts';

/** Protocol buffers' JSON has no numbers for these three. */
const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: NaN,
  Infinity: Infinity,
  '-Infinity': -Infinity,
};

export const numberFromWire = (value: number | string): number => {
  if (typeof value === 'number') return value;
  const parsed = NOT_FINITE[value] ?? (value.trim() === '' ? NaN : Number(value));
  if (Number.isNaN(parsed) && value !== 'NaN') {
    throw new MlflowError('INVALID_PARAMETER_VALUE', `"${value}" is no metric value.`);
  }
  return parsed;
};

export const numberToWire = (value: number): number | string =>
  Number.isFinite(value) ? value : String(value);

export type WireMetric = {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step?: number;
};

export const metricFromWire = ({ key, value, timestamp, step }: WireMetric): Metric => ({
  key,
  value: numberFromWire(value),
  timestamp,
  step: step ?? 0,
});

export const metricToWire = (metric: Metric, runId: string): object => ({
  ...metric,
  value: numberToWire(metric.value),
  run_id: runId,
});

export type KeyValue = { readonly key: string; readonly value?: string };

export const recordFromWire = (pairs: readonly KeyValue[] = []): Readonly<Record<string, string>> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value ?? '']));

/** Tags a client may set: all but those that hold this API's own records. */
export const tagsFromWire = (tags: readonly KeyValue[] = []): Readonly<Record<string, string>> => {
  const reserved = tags.find(({ key }) => isRecordTag(key));
  if (reserved === undefined) return recordFromWire(tags);
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `Tags like "${reserved.key}" are kept by the operator; choose another key.`,
  );
};

export const recordToWire = (record: Readonly<Record<string, string>>): readonly KeyValue[] =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

/** Below `mlflow-artifacts:/` paths are keys of the store. */
export const ARTIFACT_SCHEME = 'mlflow-artifacts:/';

export const experimentArtifactUri = (namespace: string): string =>
  `${ARTIFACT_SCHEME}${namespacePrefix(namespace)}runs`;

export const runArtifactUri = ({ experiment, runId }: Run): string =>
  ARTIFACT_SCHEME + runPrefix(experiment.namespace, runId).replace(/\/$/, '');

export const runInfoToWire = (run: Run): object => ({
  run_id: run.runId,
  run_uuid: run.runId,
  run_name: run.name,
  experiment_id: run.experiment.uid,
  user_id: run.userId,
  status: run.status,
  ...(run.startTime === undefined ? {} : { start_time: run.startTime }),
  ...(run.endTime === undefined ? {} : { end_time: run.endTime }),
  artifact_uri: runArtifactUri(run),
  lifecycle_stage: run.lifecycleStage,
});

export const runToWire = (run: Run): object => {
  const tags = Object.entries(run.tags).filter(([key]) => !isRecordTag(key));
  return {
    info: runInfoToWire(run),
    data: {
      metrics: run.metrics.map((metric) => metricToWire(metric, run.runId)),
      params: recordToWire(run.params),
      tags: recordToWire({ 'mlflow.runName': run.name, ...Object.fromEntries(tags) }),
    },
    inputs: {},
    outputs: {
      model_outputs: modelsOf(run).flatMap(({ id, step }) =>
        step === undefined ? [] : [{ model_id: id, step }],
      ),
    },
  };
};
