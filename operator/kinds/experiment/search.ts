import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { Outcome, Pass } from '../../runtime/reconciler.ts';
import { ready, stalled } from '../outcome.ts';
import type { RunPorts } from '../ports.ts';
import { trialName } from './children.ts';
import { kept } from './decide.ts';
import { finalOutcome } from './final-outcome.ts';
import { finalFault } from './final-template.ts';
import { finalRow } from './final-training.ts';
import { engineIsDown, fromEngine, meansOf, tallyOf, type SearchMeans } from './search-means.ts';
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
  const { means, recovering } = await recovered(await meansOf(experiment, study, pass, ports));
  const nowhere = await meetingPlace(experiment, pass);
  if (nowhere !== undefined) means.notes.push({ ...nowhere, stalled: true });
  await advanceAll(means);
  const begun = (await finalRow(means)) !== undefined;
  const { plan, view } = begun ? afterSearch(means) : await startMore(means);
  const replaying = await replayTrials(means);
  const sweepInMs = await sweep(means);
  const soon = recovering || replaying ? SOON_MS : undefined;
  return outcomeOf(plan, { ...view, sweepInMs: soon ?? sweepInMs }, means);
};

const SOON_MS = 100;

type Recovered = { readonly means: SearchMeans; readonly recovering: boolean };

/** Rows that were made again are counted, too. */
const recovered = async (means: SearchMeans): Promise<Recovered> => {
  const found = await recoverRows(means);
  if (found === 'whole') return { means, recovering: false };
  const tally = await tallyOf(means.experiment, means.ports);
  return { means: { ...means, tally }, recovering: found === 'more' };
};

const advanceAll = async (means: SearchMeans): Promise<void> => {
  for (const trial of means.tally.unsettled) await advanceTrial(trial, means);
};

/** A pass ends before long, so that the next one sees what has changed; it follows at once. */
const MOST_STARTS = 50;

type Decided = { readonly plan: SearchPlan; readonly view: SearchView };

const startMore = async (means: SearchMeans): Promise<Decided> => {
  let exhausted = false;
  for (let started = 0; ; started += 1) {
    const view = viewOf(means, exhausted);
    const plan = planSearch(means.experiment, view);
    if (plan.do === 'stop') {
      await stopAll(means);
      return { plan: { do: 'wait' }, view: { ...viewOf(means, exhausted), again: true } };
    }
    if (plan.do !== 'start' || engineIsDown(means) || means.notes.length > 0) return { plan, view };
    if (started === MOST_STARTS) return { plan, view: { ...view, again: true } };
    exhausted = (await startOne(view.counts.next, means)) === 'exhausted';
  }
};

/** Once the final training has begun on the best parameters, no further trial may find better ones. */
const afterSearch = (means: SearchMeans): Decided => {
  const view = viewOf(means, true);
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
  const trial = await writeTrial(means, number, drawn.assignments);
  means.tally.opened(trial);
  await advanceTrial(trial, means);
  return undefined;
};

/** The Experiment has failed; what still runs would be for nothing. */
const stopAll = async (means: SearchMeans): Promise<void> => {
  const message = 'Too many trials had failed.';
  for (const trial of means.tally.unsettled) {
    if (trial.phase !== 'open') continue;
    await endTrial(trial, { phase: 'stopped', reason: 'ExperimentFailed', message }, means);
  }
};

const viewOf = ({ tally }: SearchMeans, exhausted: boolean): SearchView => ({
  ...{ counts: tally.counts, exhausted, trial: tally.best, best: tally.best?.values[0] },
});

/** Jobs of trials that are not under way go; not those that a pass of another process just made. */
const sweep = ({ experiment, pass, tally }: SearchMeans): Promise<number | undefined> => {
  const names = tally.unsettled.map(({ number, attempt }) =>
    trialName(experiment, number, attempt),
  );
  return sweepJobs(experiment, { wanted: new Set(names), next: tally.counts.next }, pass);
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
