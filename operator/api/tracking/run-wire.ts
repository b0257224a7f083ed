import type { Metric, Run } from '../../kinds/experiment/run-store.ts';
import { isRecordTag } from '../../kinds/experiment/artifact-record.ts';
import { MlflowError } from './mlflow-error.ts';
import { modelsOf } from './logged-model.ts';
import { inputsToWire } from './run-inputs.ts';
import { runArtifactUri } from './run-place.ts';

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

export const metricToWire = (metric: Metric): object => ({
  ...metric,
  value: numberToWire(metric.value),
});

export type KeyValue = { readonly key: string; readonly value?: string };

export const recordFromWire = (pairs: readonly KeyValue[] = []): Readonly<Record<string, string>> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value ?? '']));

/** The client's own server cuts what is too long, rather than lose a run over it. */
export const cut = (
  record: Readonly<Record<string, string>>,
  most: number,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key,
      value.length <= most ? value : value.slice(0, most).replace(/[\uD800-\uDBFF]$/, ''),
    ]),
  );

export const MAX_PARAM = 6000;
const MAX_TAG = 8000;

/** Tags a client may set: all but those that hold this API's own records. */
export const tagsFromWire = (tags: readonly KeyValue[] = []): Readonly<Record<string, string>> => {
  const reserved = tags.find(({ key }) => isRecordTag(key));
  if (reserved === undefined) return cut(recordFromWire(tags), MAX_TAG);
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `Tags like "${reserved.key}" are kept by the operator; choose another key.`,
  );
};

export const recordToWire = (record: Readonly<Record<string, string>>): readonly KeyValue[] =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

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

export const runToWire = (run: Run): Readonly<Record<string, unknown>> => {
  const tags = Object.entries({ 'mlflow.runName': run.name, ...run.tags }).filter(
    ([key]) => !isRecordTag(key),
  );
  const outputs = modelsOf(run).flatMap(({ id, step }) =>
    step === undefined ? [] : [{ model_id: id, step }],
  );
  return {
    info: runInfoToWire(run),
    data: {
      metrics: run.metrics.map(metricToWire),
      params: recordToWire(run.params),
      tags: recordToWire(Object.fromEntries(tags)),
    },
    inputs: inputsToWire(run),
    outputs: { model_outputs: outputs },
  };
};
