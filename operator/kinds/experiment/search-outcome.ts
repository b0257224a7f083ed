import { timestamp } from '../../../crds/schema/conditions.ts';
import type { Experiment, ExperimentStatus } from '../../../crds/schema/experiment.ts';
import type { Outcome } from '../../runtime/reconciler.ts';
import { condition, ready, settled, stalled, working } from '../outcome.ts';
import { trialName } from './children.ts';
import { kept } from './decide.ts';
import type { FinalTraining } from './final-training.ts';
import type { Registration } from './registration.ts';
import type { Study } from './search-engine.ts';
import type { Note } from './search-means.ts';
import type { SearchEnd, SearchFacts } from './search-plan.ts';
import { objectivesOf } from './study.ts';
import type { MetricSummary, Trial } from './trial-store.ts';

/** How a search stands, as the rows say. */
export type SearchView = SearchFacts & {
  readonly trial: Trial | undefined;
  /** There is more to start at once. */
  readonly again?: boolean;
  readonly sweepInMs?: number | undefined;
};

export type ShownSearch = SearchView & {
  readonly metrics: readonly MetricSummary[];
  readonly front: { readonly trials: readonly Trial[]; readonly total: number } | undefined;
  readonly notes: readonly Note[];
  /** How many trials under way wait in a queue. */
  readonly queued: number;
  readonly final?: FinalTraining | undefined;
};

const STARTING_MS = 5_000;
const LOOK_AGAIN_MS = 30_000;
const ENGINE_MS = 10_000;
const AT_ONCE_MS = 1;

export const searchUnderWay = (
  experiment: Experiment,
  view: ShownSearch,
  { earlyStopping }: Study,
  now: Date,
): Outcome => {
  const status = statusOf(experiment, view, now);
  const [note] = view.notes.toSorted((a, b) => Number(b.stalled) - Number(a.stalled));
  const words = inWords(experiment, view);
  if (note !== undefined) {
    const message = `${note.message} ${words}`;
    const more = {
      status,
      requeueAfterMs: note.reason === 'SearchEngineUnavailable' ? ENGINE_MS : LOOK_AGAIN_MS,
    };
    return note.stalled
      ? stalled(ready('False', note.reason, message), more)
      : working(ready('Unknown', note.reason, message), more);
  }
  if (experiment.spec.suspend && view.counts.open === 0) {
    const message = `spec.suspend is true: no trial starts until it is false. ${words}`;
    return settled(ready('Unknown', 'Suspended', message), { status });
  }
  // Nothing tells of a metric that arrives: it is looked for, often where a trial may be stopped for it.
  const usual = earlyStopping === undefined ? LOOK_AGAIN_MS : STARTING_MS;
  const soon = view.again === true ? AT_ONCE_MS : usual;
  const waits = view.queued > 0 && view.queued === view.counts.open;
  return working(ready('Unknown', waits ? 'Queued' : 'TrialRunning', words), {
    status,
    requeueAfterMs: Math.min(soon, view.sweepInMs ?? soon),
  });
};

export const searchFailed = (
  experiment: Experiment,
  view: ShownSearch,
  why: string,
  now: Date,
): Outcome => {
  const message = `${why} ${inWords(experiment, view)} See GET /api/v1/namespaces/${experiment.metadata.namespace}/experiments/${experiment.metadata.name}/trials for the reason of each.`;
  return stalled(ready('False', 'TrialFailed', message), {
    status: { ...statusOf(experiment, view, now), completionTime: timestamp(now) },
    conditions: [condition('Failed', 'True', 'TrialFailed', message)],
    ...requeue(view),
  });
};

export const searchCompleted = (
  experiment: Experiment,
  view: ShownSearch,
  end: { readonly reason: SearchEnd; readonly registration: Registration | undefined },
  now: Date,
): Outcome => {
  const { registration, reason } = end;
  const words = inWords(experiment, view);
  const status = { ...statusOf(experiment, view, now), ...versionOf(registration) };
  if (registration?.state === 'waiting') {
    return working(ready('Unknown', 'Reconciling', `${words} ${registration.message}`), {
      status,
      ...(registration.requeueAfterMs === undefined
        ? {}
        : { requeueAfterMs: registration.requeueAfterMs }),
    });
  }
  const ended = { status: { ...status, completionTime: timestamp(now) }, ...requeue(view) };
  if (registration?.state === 'refused') {
    const message = `${registration.message} ${words}`;
    return stalled(ready('False', registration.reason, message), {
      ...ended,
      conditions: [condition('Complete', 'True', registration.reason, message)],
    });
  }
  const message = `${ENDS[reason]} ${words} ${registration?.note ?? 'Nothing was to be registered.'}`;
  const said = registration === undefined ? reason : 'Registered';
  return settled(ready('True', said, message), {
    ...ended,
    conditions: [condition('Complete', 'True', said, message)],
  });
};

const versionOf = (
  registration: Registration | undefined,
): { readonly registeredVersion?: string } =>
  registration === undefined || registration.state === 'refused' || !registration.version
    ? {}
    : { registeredVersion: registration.version };

const ENDS: Readonly<Record<SearchEnd, string>> = {
  GoalReached: 'The objective reached its goal.',
  MaxTrialsReached: 'As many trials ran as spec.maxTrialCount allows.',
  SpaceExhausted: 'Every combination was tried.',
};

export const requeue = ({ sweepInMs }: SearchView): { readonly requeueAfterMs?: number } =>
  sweepInMs === undefined ? {} : { requeueAfterMs: sweepInMs };

export const inWords = (experiment: Experiment, { counts, trial, queued }: ShownSearch): string => {
  const { maxTrialCount } = experiment.spec;
  const of = maxTrialCount === undefined ? '' : ` of ${maxTrialCount}`;
  const parts = [
    `${counts.total}${of} trials started`,
    `${counts.open} under way${queued > 0 ? ` (${queued} suspended, waiting in a queue)` : ''}`,
    `${counts.complete} finished`,
    ...(counts.pruned > 0 ? [`${counts.pruned} stopped early`] : []),
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.stopped > 0 ? [`${counts.stopped} abandoned`] : []),
  ];
  const [objective] = objectivesOf(experiment);
  const best =
    trial === undefined
      ? ''
      : ` The best ${objective?.name ?? ''} is ${trial.values[0]} (trial ${trial.number}).`;
  return `${parts.join(', ')}.${best}`;
};

/** Counts and the best only: what a status holds does not grow with the number of trials. */
export const statusOf = (
  experiment: Experiment,
  view: ShownSearch,
  now: Date,
): Readonly<Record<string, unknown>> => {
  const { counts, trial, front } = view;
  const before: Partial<ExperimentStatus> = kept(experiment.status);
  const startTime = before.startTime ?? (counts.total > 0 ? timestamp(now) : undefined);
  return {
    ...before,
    ...(startTime === undefined ? {} : { startTime }),
    trials: counts.total,
    trialsRunning: counts.open,
    trialsSucceeded: counts.complete,
    trialsFailed: counts.failed,
    trialsEarlyStopped: counts.pruned,
    ...(trial === undefined
      ? {}
      : { currentOptimalTrial: optimal(experiment, trial, view.metrics) }),
    ...finalOf(experiment, view),
    ...(front === undefined
      ? {}
      : {
          paretoFront: front.trials.map((each) => onFront(experiment, each)),
          paretoFrontSize: front.total,
        }),
  };
};

const FINAL_STATES = { open: 'Running', complete: 'Succeeded' } as const;

const finalOf = (
  experiment: Experiment,
  { final }: ShownSearch,
): Pick<ExperimentStatus, 'finalTraining'> => {
  if (final === undefined || final.state === 'suspended') return {};
  const { runId, phase, attempt, started } = final.row;
  const state = phase === 'open' || phase === 'complete' ? FINAL_STATES[phase] : 'Failed';
  const name = trialName(experiment, 'final', attempt);
  return { finalTraining: { trialName: name, runId, state, attempts: started + 1 } };
};

const optimal = (
  experiment: Experiment,
  trial: Trial,
  metrics: readonly MetricSummary[],
): ExperimentStatus['currentOptimalTrial'] => ({
  bestTrialName: trialName(experiment, trial.number, trial.attempt),
  runId: trial.runId,
  parameterAssignments: trial.assignments.map(({ name, value }) => ({ name, value })),
  observation: {
    metrics: inOrder(experiment, metrics).map(({ name, latest, min, max }) => ({
      name,
      latest: String(latest),
      ...(min === undefined ? {} : { min: String(min) }),
      ...(max === undefined ? {} : { max: String(max) }),
    })),
  },
});

const inOrder = (
  experiment: Experiment,
  metrics: readonly MetricSummary[],
): readonly MetricSummary[] => {
  const names = objectivesOf(experiment).map(({ name }) => name);
  const rank = ({ name }: MetricSummary): number => {
    const index = names.indexOf(name);
    return index < 0 ? names.length : index;
  };
  return metrics.toSorted((a, b) => rank(a) - rank(b));
};

const onFront = (experiment: Experiment, { number, attempt, runId, values }: Trial): object => ({
  trialName: trialName(experiment, number, attempt),
  runId,
  metrics: objectivesOf(experiment).map(({ name }, index) => ({
    name,
    latest: String(values[index]),
  })),
});
