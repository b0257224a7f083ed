import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { Outcome, Pass } from '../../runtime/reconciler.ts';
import { ready, stalled } from '../outcome.ts';
import type { RunPorts } from '../ports.ts';
import { trialName } from './children.ts';
import { kept } from './decide.ts';
import { finalOutcome } from './final-outcome.ts';
import { finalFault } from './final-template.ts';
import { finalRow } from './final-training.ts';
import { engineIsDown, fromEngine, meansOf, type SearchMeans } from './search-means.ts';
import {
  searchCompleted,
  searchFailed,
  searchUnderWay,
  type SearchView,
} from './search-outcome.ts';
import { planSearch, type SearchPlan } from './search-plan.ts';
import { registerBest } from './search-register.ts';
import { recoverRows, replayTrials, writeTrial } from './search-rows.ts';
import { sweepJobs } from './search-settle.ts';
import { advanceTrial, endTrial } from './search-trial.ts';
import { meetingPlace } from './node-service.ts';
import { metricNames } from './trial-log.ts';
import { objectivesOf, studyOf } from './study.ts';

/**
 * One pass over a search: what is under way goes on, then as many trials start as may. Rows are
 * written before Jobs are created and settled after the engine was told, and every step may be
 * repeated: whatever dies wherever, the next pass does what is missing and nothing twice.
 */
export const reconcileSearch = async (
  experiment: Experiment,
  pass: Pass,
  ports: RunPorts,
): Promise<Outcome> => {
  const study = studyOf(experiment);
  if ('fault' in study) {
    const { reason, message } = study.fault;
    return stalled(ready('False', reason, message), { status: kept(experiment.status) });
  }
  const fault = finalFault(experiment);
  if (fault !== undefined)
    return stalled(ready('False', 'InvalidTemplate', fault), { status: kept(experiment.status) });
  const means = meansOf(experiment, study, pass, ports);
  const nowhere = await meetingPlace(experiment, pass);
  if (nowhere !== undefined) means.notes.push({ ...nowhere, stalled: true });
  const recovering = await recoverRows(means);
  await advanceAll(means);
  const begun = (await finalRow(means)) !== undefined;
  const { plan, view } = begun ? await afterSearch(means) : await startMore(means);
  const replaying = await replayTrials(means);
  const sweepInMs = await sweep(means);
  const soon = recovering || replaying ? SOON_MS : undefined;
  return outcomeOf(plan, { ...view, sweepInMs: soon ?? sweepInMs }, means);
};

const SOON_MS = 100;

const advanceAll = async (means: SearchMeans): Promise<void> => {
  const { experiment, ports } = means;
  for (const trial of await ports.trials.unsettled(experiment.metadata.uid)) {
    await advanceTrial(trial, means);
  }
};

/** A pass ends before long, so that the next one sees what has changed; it follows at once. */
const MOST_STARTS = 50;

type Decided = { readonly plan: SearchPlan; readonly view: SearchView };

const startMore = async (means: SearchMeans): Promise<Decided> => {
  let exhausted = false;
  for (let started = 0; ; started += 1) {
    const view = await viewOf(means, exhausted);
    const plan = planSearch(means.experiment, view);
    if (plan.do === 'stop') {
      await stopAll(means);
      return { plan: { do: 'wait' }, view: { ...(await viewOf(means, exhausted)), again: true } };
    }
    if (plan.do !== 'start' || engineIsDown(means) || means.notes.length > 0) return { plan, view };
    if (started === MOST_STARTS) return { plan, view: { ...view, again: true } };
    exhausted = (await startOne(view.counts.next, means)) === 'exhausted';
  }
};

/** Once the final training has begun on the best parameters, no further trial may find better ones. */
const afterSearch = async (means: SearchMeans): Promise<Decided> => {
  const view = await viewOf(means, true);
  const { experiment } = means;
  // Whoever lowers the limit of failures now would stop what is no trial.
  const spec = { ...experiment.spec, maxFailedTrialCount: view.counts.failed };
  return { plan: planSearch({ ...experiment, spec }, view), view };
};

const startOne = async (number: number, means: SearchMeans): Promise<'exhausted' | undefined> => {
  const { study, ports, notes } = means;
  const drawn = await fromEngine(means, () => ports.search.ask(study, number));
  if (drawn === undefined) return undefined;
  if (drawn.state === 'exhausted') return 'exhausted';
  if (drawn.state === 'refused') {
    notes.push({ reason: drawn.reason, message: drawn.message, stalled: true });
    return undefined;
  }
  await advanceTrial(await writeTrial(means, number, drawn.assignments), means);
  return undefined;
};

/** The Experiment has failed; what still runs would be for nothing. */
const stopAll = async (means: SearchMeans): Promise<void> => {
  const { experiment, ports } = means;
  const message = 'Too many trials had failed.';
  for (const trial of await ports.trials.unsettled(experiment.metadata.uid)) {
    if (trial.phase !== 'open') continue;
    await endTrial(trial, { phase: 'stopped', reason: 'ExperimentFailed', message }, means);
  }
};

const viewOf = async (means: SearchMeans, exhausted: boolean): Promise<SearchView> => {
  const { experiment, ports } = means;
  const { uid } = experiment.metadata;
  const [objective] = objectivesOf(experiment);
  const counts = await ports.trials.counts(uid);
  const trial =
    counts.complete === 0
      ? undefined
      : await ports.trials.best(uid, objective?.direction ?? 'minimize');
  return { counts, exhausted, trial, best: trial?.values[0] };
};

/** Jobs of trials that are not under way go; not those that a pass of another process just made. */
const sweep = async ({ experiment, pass, ports }: SearchMeans): Promise<number | undefined> => {
  const { uid } = experiment.metadata;
  const { next } = await ports.trials.counts(uid);
  const trials = await ports.trials.unsettled(uid);
  const wanted = new Set(
    trials.map(({ number, attempt }) => trialName(experiment, number, attempt)),
  );
  return sweepJobs(experiment, { wanted, next }, pass);
};

/** ms until the next Job of an ended search goes. */
export const sweepAfterEnd = (experiment: Experiment, pass: Pass): Promise<number | undefined> =>
  sweepJobs(experiment, { wanted: new Set(), next: Number.POSITIVE_INFINITY }, pass);

const MOST_FRONT = 20;

const outcomeOf = async (
  plan: SearchPlan,
  view: SearchView,
  means: SearchMeans,
): Promise<Outcome> => {
  const { experiment, ports, pass, notes } = means;
  const names = metricNames(experiment);
  const metrics =
    view.trial === undefined ? [] : await ports.trials.summaries(view.trial.runId, names);
  const front =
    objectivesOf(experiment).length > 1
      ? await ports.trials.front(experiment.metadata.uid, MOST_FRONT)
      : undefined;
  const shown = { ...view, metrics, front, notes, queued: means.queued.length };
  if (plan.do === 'fail') return searchFailed(experiment, shown, plan.message, pass.now);
  if (plan.do !== 'complete' || view.trial === undefined)
    return searchUnderWay(experiment, shown, means.study, pass.now);
  const { registration, final } = await registerBest(view.trial, means);
  const at = { ...shown, final };
  if (final === undefined || registration?.state === 'waiting')
    return searchCompleted(experiment, at, { reason: plan.reason, registration }, pass.now);
  if (final.state !== 'finished' && final.state !== 'failed')
    return finalOutcome(experiment, at, final, pass.now);
  // Only now its Job may go.
  const swept = { ...at, sweepInMs: await sweepAfterEnd(experiment, pass) };
  return final.state === 'failed'
    ? finalOutcome(experiment, swept, final, pass.now)
    : searchCompleted(experiment, swept, { reason: plan.reason, registration }, pass.now);
};
