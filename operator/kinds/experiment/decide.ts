import { findCondition, isConditionTrue, timestamp } from '../../../crds/schema/conditions.ts';
import type { Reason } from '../../../crds/schema/conditions.ts';
import type { Experiment, ExperimentStatus } from '../../../crds/schema/experiment.ts';
import type { Outcome } from '../../runtime/reconciler.ts';
import { condition, ready, restated, settled, stalled, working } from '../outcome.ts';
import { trialName } from './children.ts';
import type { Run } from './run-store.ts';
import type { TrialState } from './trial-state.ts';

const LOOK_AGAIN_MS = 30_000;
const STARTING_MS = 5_000;

/** Whether the Experiment has come to its end; it runs once, so that never changes. */
export const hasEnded = ({ status }: Experiment): boolean =>
  isConditionTrue(status?.conditions, 'Complete') || isConditionTrue(status?.conditions, 'Failed');

/** Why nothing may start, if so. */
export const obstacleOf = (experiment: Experiment): Outcome | undefined => {
  if (!experiment.spec.suspend || (experiment.status?.trials ?? 0) > 0) return undefined;
  return settled(
    ready(
      'Unknown',
      'Suspended',
      'spec.suspend is true: this is a template, or waits. Set it to false to start the training.',
    ),
  );
};

type Counts = { readonly running?: 1; readonly succeeded?: 1; readonly failed?: 1 };

/** The numbers of a status with one trial; what earlier passes put there otherwise, stays. */
const statusWith = (
  { status }: Experiment,
  counts: Counts,
  more: Partial<ExperimentStatus> = {},
): Readonly<Record<string, unknown>> => ({
  ...kept(status),
  trials: 1,
  trialsRunning: counts.running ?? 0,
  trialsSucceeded: counts.succeeded ?? 0,
  trialsFailed: counts.failed ?? 0,
  trialsEarlyStopped: 0,
  ...more,
});

/** Everything but what the runtime adds itself. */
export const kept = (status: ExperimentStatus | undefined): Partial<ExperimentStatus> => {
  const { conditions: _conditions, observedGeneration: _generation, ...rest } = status ?? {};
  return rest;
};

/** The database does not answer: nothing starts, and what runs is left alone. */
export const storeUnavailable = (experiment: Experiment, error: Error): Outcome =>
  working(
    ready(
      'Unknown',
      'StoreUnavailable',
      `The run cannot be recorded, so nothing new is started; it goes on by itself. ${error.message}`,
    ),
    { status: kept(experiment.status), requeueAfterMs: 10_000 },
  );

/** The API server refused the Job itself. */
export const jobRefused = (experiment: Experiment, reason: Reason, words: string): Outcome =>
  cannotStart(experiment, reason, `Job ${trialName(experiment, 0)} cannot be created: ${words}`);

/** Something the trial needs was refused. */
export const cannotStart = (experiment: Experiment, reason: Reason, message: string): Outcome =>
  stalled(ready('False', reason, message), {
    status: kept(experiment.status),
    ...(reason === 'InvalidTemplate' ? {} : { requeueAfterMs: LOOK_AGAIN_MS }),
  });

/** How the Experiment stands while its trial has not ended. */
export const underWay = (
  experiment: Experiment,
  trial: Exclude<TrialState, { state: 'succeeded' | 'failed' }>,
  now: Date,
): Outcome => {
  const startTime = experiment.status?.startTime ?? timestamp(now);
  const status = statusWith(experiment, { running: 1 }, { startTime });
  switch (trial.state) {
    case 'refused':
      return stalled(ready('False', trial.reason, trial.message), {
        status,
        requeueAfterMs: LOOK_AGAIN_MS,
      });
    case 'starting':
      return working(ready('Unknown', 'TrialRunning', trial.message), {
        status,
        requeueAfterMs: STARTING_MS,
      });
    case 'queued':
      return working(ready('Unknown', 'Queued', trial.message), {
        status: { ...status, trialsRunning: 0 },
      });
    case 'running':
      return working(ready('Unknown', 'TrialRunning', trial.message), { status });
  }
};

/** The end of an Experiment whose trial did not finish well, or reported nothing to judge it by. */
export const failed = (
  result: Result,
  reason: 'TrialFailed' | 'MetricMissing',
  message: string,
): Outcome =>
  stalled(ready('False', reason, message), {
    status: statusWith(
      result.experiment,
      { failed: 1 },
      { startTime: startOf(result), completionTime: timestamp(result.at) },
    ),
    conditions: [condition('Failed', 'True', reason, message)],
    ...untilJobExpires(result),
  });

/** The pass that sees the end may miss the beginning. */
const startOf = ({ experiment, run, at }: Result): string =>
  experiment.status?.startTime ?? timestamp(new Date(run.startTime ?? at));

/** Nothing else need wake an ended Experiment, so the end of its Job's time has to. */
const untilJobExpires = ({ experiment }: Result): { readonly requeueAfterMs?: number } => {
  const { ttlSecondsAfterFinished, trialTemplate } = experiment.spec;
  return ttlSecondsAfterFinished === undefined || trialTemplate.retain
    ? {}
    : { requeueAfterMs: ttlSecondsAfterFinished * 1000 };
};

/** Whether the run logged what the objective wants; otherwise why not. */
export const missingMetric = (experiment: Experiment, run: Run): string | undefined => {
  const wanted = experiment.spec.objective?.objectiveMetricName;
  if (wanted === undefined || run.metrics.some(({ key }) => key === wanted)) return undefined;
  const logged = run.metrics.map(({ key }) => key).join(', ');
  return `The trial finished, but logged no metric ${wanted} (spec.objective.objectiveMetricName); it logged ${logged === '' ? 'none' : logged}. Log it with mlflow.log_metric("${wanted}", value), or print a line ${wanted}=<value>.`;
};

export type Result = {
  readonly experiment: Experiment;
  readonly run: Run;
  readonly at: Date;
};

/** The finished trial is known, its registration is still under way. */
export const registering = (
  result: Result,
  message: string,
  more: { readonly version?: string | undefined; readonly requeueAfterMs?: number | undefined },
): Outcome =>
  working(ready('Unknown', 'Reconciling', message), {
    status: finishedStatus(result, more.version),
    ...(more.requeueAfterMs === undefined ? {} : { requeueAfterMs: more.requeueAfterMs }),
  });

/** Training finished well, but its result may not or cannot become a version. */
export const notRegistered = (result: Result, reason: Reason, message: string): Outcome =>
  stalled(ready('False', reason, message), {
    status: finishedStatus(result, undefined),
    conditions: [condition('Complete', 'True', reason, message)],
    ...untilJobExpires(result),
  });

export const complete = (
  result: Result,
  registered: { readonly version: string; readonly note: string } | undefined,
): Outcome => {
  const { experiment, run } = result;
  const reason = registered === undefined ? 'Complete' : 'Registered';
  const objective = experiment.spec.objective?.objectiveMetricName;
  const value = run.metrics.find(({ key }) => key === objective)?.value;
  const measured = value === undefined ? '' : ` with ${objective} = ${value}`;
  const message = `The training finished${measured}. ${registered?.note ?? 'Nothing was to be registered.'}`;
  return settled(ready('True', reason, message), {
    status: finishedStatus(result, registered?.version),
    conditions: [condition('Complete', 'True', reason, message)],
    ...untilJobExpires(result),
  });
};

const finishedStatus = (
  result: Result,
  registeredVersion: string | undefined,
): Readonly<Record<string, unknown>> => {
  const { experiment, run, at } = result;
  return statusWith(
    experiment,
    { succeeded: 1 },
    {
      startTime: startOf(result),
      completionTime: timestamp(at),
      currentOptimalTrial: {
        bestTrialName: trialName(experiment, 0),
        runId: run.runId,
        parameterAssignments: [],
        observation: { metrics: observed(experiment, run) },
      },
      ...(registeredVersion === undefined ? {} : { registeredVersion }),
    },
  );
};

const MOST_METRICS = 64;

/** The objective first, then what was asked for besides, then the rest by name. */
const observed = (
  { spec: { objective } }: Experiment,
  run: Run,
): readonly { readonly name: string; readonly latest: string }[] => {
  const asked = [objective?.objectiveMetricName, ...(objective?.additionalMetricNames ?? [])];
  const rank = (key: string): number => {
    const index = asked.indexOf(key);
    return index < 0 ? asked.length : index;
  };
  return run.metrics
    .filter(({ key }) => key.length <= 250)
    .toSorted((a, b) => rank(a.key) - rank(b.key) || (a.key < b.key ? -1 : 1))
    .slice(0, MOST_METRICS)
    .map(({ key, value }) => ({ name: key, latest: String(value) }));
};

/** What an ended Experiment goes on saying; it never looks at the cluster again. */
export const asBefore = (experiment: Experiment, requeueAfterMs: number | undefined): Outcome => {
  const stood = (type: string) => findCondition(experiment.status?.conditions, type);
  const before = stood('Ready');
  const summary = before === undefined ? ready('Unknown', 'Complete', '') : restated(before);
  const more = {
    status: kept(experiment.status),
    conditions: [stood('Complete'), stood('Failed')]
      .filter((each) => each !== undefined)
      .map(restated),
    ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
  };
  return before?.status === 'True' ? settled(summary, more) : stalled(summary, more);
};

/** Milliseconds until the Job of an ended Experiment may go; undefined when it stays. */
export const jobExpiresInMs = ({ spec, status }: Experiment, now: Date): number | undefined => {
  const { ttlSecondsAfterFinished, trialTemplate } = spec;
  if (ttlSecondsAfterFinished === undefined || trialTemplate.retain) return undefined;
  const ended = Date.parse(status?.completionTime ?? '');
  if (Number.isNaN(ended)) return undefined;
  return Math.max(0, ended + ttlSecondsAfterFinished * 1000 - now.getTime());
};
