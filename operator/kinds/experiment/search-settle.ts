import type { Experiment } from '../../../crds/schema/experiment.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import { statusCondition, type Job } from '../kubernetes-objects.ts';
import { trialName } from './children.ts';
import { endRun } from './run-end.ts';
import { EngineConflict, type Told } from './search-engine.ts';
import { engineIsDown, fromEngine, type SearchMeans } from './search-means.ts';
import type { Trial } from './trial-store.ts';

/**
 * Brings the end of a trial to everybody: its Job where it still runs, its run, the engine. Each step
 * may be repeated; the row is settled last, so that none is left out after a kill.
 */
export const settleTrial = async (trial: Trial, means: SearchMeans): Promise<void> => {
  const { experiment, study, pass, ports, jobs } = means;
  const job = jobs.get(trialName(experiment, trial.number, trial.attempt));
  if (job !== undefined && endOf(job) === undefined && isLive(job)) await pass.delete(JOB, job);
  const at = job === undefined ? undefined : endOf(job);
  const end = { status: RUN_STATUS[trial.phase], at: (at ?? pass.now).getTime() };
  await endRun(experiment, trial.runId, end, ports.runs);
  if (engineIsDown(means)) return;
  const told = await fromEngine(means, async () => {
    try {
      await ports.search.tell(study, trial.number, outcomeOf(trial));
    } catch (error) {
      if (!(error instanceof EngineConflict)) throw error;
      // The row is the truth; nothing that is asked later would change that.
      pass.log.warn({ err: error, trial: trial.number }, 'the engine was told another outcome');
    }
    return true;
  });
  if (told === undefined) return;
  await ports.trials.told(trial.runId);
  means.tally.told(trial);
  if (job !== undefined && isLive(job) && expiresInMs(experiment, job, pass.now) === 0) {
    await pass.delete(JOB, job);
  }
};

const RUN_STATUS = {
  complete: 'FINISHED',
  pruned: 'KILLED',
  failed: 'FAILED',
  stopped: 'KILLED',
  open: 'KILLED',
} as const;

export const outcomeOf = ({ phase, values }: Trial): Told => {
  if (phase === 'complete') return { state: 'complete', values };
  return { state: phase === 'pruned' ? 'pruned' : 'failed' };
};

export const isLive = (job: Job): boolean => job.metadata.deletionTimestamp === undefined;

/** When the Job ended; undefined while it has not. */
const endOf = (job: Job): Date | undefined => {
  const { conditions, completionTime } = job.status ?? {};
  const ended = ['Complete', 'Failed']
    .map((type) => statusCondition(conditions, type))
    .find((each) => each?.status === 'True');
  if (ended === undefined) return undefined;
  const at = Date.parse(completionTime ?? ended.lastTransitionTime ?? '');
  return new Date(Number.isNaN(at) ? 0 : at);
};

/** Until the Job of a trial that has ended goes; undefined: not by itself. */
const expiresInMs = ({ spec }: Experiment, job: Job, now: Date): number | undefined => {
  const end = endOf(job);
  if (spec.trialTemplate.retain && end !== undefined) return undefined;
  const ttlMs = (spec.ttlSecondsAfterFinished ?? 0) * 1000;
  return end === undefined ? 0 : Math.max(0, end.getTime() + ttlMs - now.getTime());
};

/**
 * Deletes Jobs that no trial under way needs: of trials that have ended, and of attempts that were
 * given up. `wanted` are names of Jobs; those of trials from `next` on are not known to be ours yet.
 * @returns ms until the next one goes
 */
export const sweepJobs = async (
  experiment: Experiment,
  kept: { readonly wanted: ReadonlySet<string>; readonly next: number },
  pass: Pass,
): Promise<number | undefined> => {
  let soonest: number | undefined;
  for (const job of pass.owned<Job>(JOB)) {
    if (!isLive(job) || kept.wanted.has(job.metadata.name)) continue;
    // Of the final training, too, which goes when the Experiment has ended: `next` is infinite then.
    if (Number.isFinite(kept.next) && (isFinalJob(job) || numberOf(job) >= kept.next)) continue;
    const ms = expiresInMs(experiment, job, pass.now);
    if (ms === 0) await pass.delete(JOB, job);
    else if (ms !== undefined) soonest = Math.min(soonest ?? ms, ms);
  }
  return soonest;
};

/** Whether it is of the training after a search. */
export const isFinalJob = ({ metadata }: Job): boolean =>
  metadata.labels?.[LABELS.trial] === 'final';

export const numberOf = ({ metadata }: Job): number =>
  Number(metadata.labels?.[LABELS.trial] ?? Number.NaN);
