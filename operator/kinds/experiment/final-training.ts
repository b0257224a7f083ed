import type { Reason } from '../../../crds/schema/conditions.ts';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import type { Job } from '../kubernetes-objects.ts';
import { refusalOf } from '../refusal.ts';
import { trialJob, trialName } from './children.ts';
import { finalOf, withFinalTemplate } from './final-template.ts';
import { inNote, lastWords, withLines } from './last-words.ts';
import { endRun } from './run-end.ts';
import { noteImage } from './run-image.ts';
import type { Run } from './run-store.ts';
import type { SearchMeans } from './search-means.ts';
import { isFinalJob, isLive } from './search-settle.ts';
import { readLog, stateOf, type Seen } from './search-trial.ts';
import { fillTemplate } from './template.ts';
import { failureOf, isRetried, isStuckPulling, type FailureClass } from './trial-failure.ts';
import { findJob, startOf } from './trial-jobs.ts';
import { endedWithoutJob } from './trial-state.ts';
import type { Trial, TrialEnd } from './trial-store.ts';

/** How the training on the best parameters stands. */
export type FinalTraining =
  | { readonly state: 'suspended' }
  | { readonly state: 'running'; readonly row: Trial; readonly message: string }
  /** The cluster refuses it; it goes on by itself, or never. */
  | {
      readonly state: 'refused';
      readonly row: Trial;
      readonly reason: Reason;
      readonly message: string;
    }
  | { readonly state: 'failed'; readonly row: Trial; readonly message: string }
  | { readonly state: 'finished'; readonly row: Trial; readonly run: Run };

/** The rows of final trainings stand apart from those of trials: none counts or is told as one. */
const seriesOf = ({ metadata }: Experiment): string => `${metadata.uid}/final`;

/** undefined: it has not begun, or is not asked for. */
export const finalRow = async ({ experiment, ports }: SearchMeans): Promise<Trial | undefined> => {
  if (experiment.spec.register?.retrain === undefined) return undefined;
  return (await ports.trials.list(seriesOf(experiment), { limit: 1 })).trials[0];
};

/**
 * Takes the final training as far as it can go now. As with trials, the row is written before the Job
 * is created and settled last, and every step may be repeated after a kill.
 */
export const trainFinally = async (best: Trial, means: SearchMeans): Promise<FinalTraining> => {
  const known = await finalRow(means);
  if (known === undefined && means.experiment.spec.suspend) return { state: 'suspended' };
  const row = known ?? (await openRow(best, means));
  if (row.phase !== 'open') return settled(row, means);
  await dropOldAttempts(row, means);
  const job = await jobOf(row, means);
  if (job === 'gone') return withoutJob(row, means);
  if ('refused' in job) return { state: 'refused', row, ...job.refused };
  if (row.started < row.attempt) await noteStart(row, best, job, means);
  const pods = means.pods.get(job.metadata.uid ?? '') ?? [];
  return withJob({ ...row, started: row.attempt }, { job, pods }, means);
};

const openRow = async (best: Trial, { experiment, ports }: SearchMeans): Promise<Trial> => {
  const { uid, namespace, name } = experiment.metadata;
  const { assignments } = best;
  const { runId, status } = await ports.runs.createTrial({
    experiment: { uid, namespace, name },
    number: 'final',
    parameters: Object.fromEntries(assignments.map((each) => [each.name, each.value])),
    name: trialName(experiment, 'final'),
  });
  await ports.trials.open({ experimentUid: seriesOf(experiment), runId, number: 0, assignments });
  return {
    ...{ runId, number: 0, phase: 'open', told: false, attempt: 0, started: -1 },
    ...{ assignments, values: [], reported: 0, runStatus: status },
  };
};

/** A process that was killed between giving an attempt up and deleting its Job left it behind. */
const dropOldAttempts = async (row: Trial, { experiment, pass, jobs }: SearchMeans) => {
  const current = trialName(experiment, 'final', row.attempt);
  for (const job of jobs.values())
    if (isFinalJob(job) && isLive(job) && job.metadata.name !== current)
      await pass.delete(JOB, job);
};

type Refused = { readonly refused: { readonly reason: Reason; readonly message: string } };

const jobOf = async (row: Trial, means: SearchMeans): Promise<Job | 'gone' | Refused> => {
  const { pass, ports, jobs } = means;
  const experiment = withFinalTemplate(means.experiment);
  const name = trialName(experiment, 'final', row.attempt);
  const cached = jobs.get(name);
  if (cached !== undefined) return cached;
  const assignments = Object.fromEntries(row.assignments.map((each) => [each.name, each.value]));
  const filled = fillTemplate(experiment, name, assignments);
  if ('fault' in filled) {
    const message = finalOf(experiment, filled.fault);
    return { refused: { reason: 'InvalidTemplate', message } };
  }
  const trial = { ...row, number: 'final' as const };
  const wanted = trialJob(experiment, trial, filled.spec, ports.children);
  if (row.started >= row.attempt) return (await findJob(wanted, pass)) ?? 'gone';
  try {
    return await pass.ensure<Job>(JOB, wanted);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const message = `Job ${name} of the final training cannot be created: ${refusal.words}`;
    return { refused: { reason: refusal.reason, message } };
  }
};

const noteStart = async (row: Trial, best: Trial, job: Job, { pass, ports }: SearchMeans) => {
  if (row.attempt === 0) await ports.runs.startRun(row.runId, startOf(job, pass));
  // A client that was told to end has ended the run.
  else await ports.runs.updateRun(row.runId, { status: 'RUNNING' });
  const values = row.assignments.map(({ name, value }) => `${name} = ${value}`).join(', ');
  pass.event(
    'Normal',
    'FinalTrainingStarted',
    inNote(
      `Started the final training as Job ${job.metadata.name}, on the parameters of trial ${best.number}: ${values}.`,
    ),
  );
  await ports.trials.progress(row.runId, { started: row.attempt });
};

/** Somebody deleted the Job; what its run says of its end counts. */
const withoutJob = async (row: Trial, means: SearchMeans): Promise<FinalTraining> => {
  const run = await means.ports.runs.getRun(row.runId);
  if (run !== undefined && endedWithoutJob(means.experiment, run)?.state === 'succeeded')
    return end(row, { phase: 'complete' }, means);
  const name = trialName(means.experiment, 'final', row.attempt);
  return broken(row, 'PodLost', `Job ${name} is gone.`, means);
};

const withJob = async (row: Trial, seen: Seen, means: SearchMeans): Promise<FinalTraining> => {
  const { experiment, pass, ports } = means;
  const state = await stateOf(seen, means);
  await noteImage(experiment, row, seen, ports.runs);
  switch (state.state) {
    case 'refused':
      return { state: 'refused', row, reason: state.reason, message: state.message };
    case 'starting': {
      if (!seen.pods.some((pod) => isStuckPulling(pod, pass.now)))
        return { state: 'running', row, message: state.message };
      const message = `The image of Job ${seen.job.metadata.name} could not be pulled for 10 minutes; correct its name or the registry's credentials.`;
      return broken(row, 'ImagePull', message, means);
    }
    case 'queued':
      return { state: 'running', row, message: state.message };
    case 'running':
      await readLog(row, seen, false, means);
      return { state: 'running', row, message: state.message };
    case 'failed': {
      const failure = failureOf(seen.job, seen.pods);
      const read = { logs: ports.logs, log: pass.log };
      const lines = failure === 'NodeLost' ? '' : await lastWords(experiment, seen, read);
      return broken(row, failure, withLines(state.message, lines), means);
    }
    case 'succeeded':
      await readLog(row, seen, true, means);
      return end(row, { phase: 'complete' }, means);
  }
};

const broken = async (
  row: Trial,
  reason: FailureClass,
  message: string,
  means: SearchMeans,
): Promise<FinalTraining> => {
  const { experiment, pass, ports } = means;
  if (!isRetried(experiment, reason, row.attempt))
    return end(row, { phase: 'failed', reason, message }, means);
  const attempt = row.attempt + 1;
  await ports.trials.retry(row.runId, attempt, { reason, message });
  const words = `The final training is started again (attempt ${attempt + 1}) after ${reason}: ${message}`;
  pass.event('Warning', 'TrialRetried', inNote(words));
  await dropOldAttempts({ ...row, attempt }, means);
  return { state: 'running', row, message: words };
};

/** The row ends first: it is what a process that starts anew goes by. */
const end = async (row: Trial, how: TrialEnd, means: SearchMeans): Promise<FinalTraining> => {
  const { phase } = await means.ports.trials.end(row.runId, how, []);
  return settled({ ...row, ...how, phase }, means);
};

const settled = async (row: Trial, means: SearchMeans): Promise<FinalTraining> => {
  const { pass, ports } = means;
  const finished = row.phase === 'complete';
  const message = `${row.reason ?? ''}: ${row.message ?? ''}`;
  if (!row.told) {
    const at = endTimeOf(row, means);
    const status = finished ? 'FINISHED' : 'FAILED';
    await endRun(means.experiment, row.runId, { status, at }, ports.runs);
    if (finished)
      pass.event(
        'Normal',
        'FinalTrainingFinished',
        `The final training finished (run ${row.runId}).`,
      );
    else pass.event('Warning', 'FinalTrainingFailed', inNote(message));
    await ports.trials.told(row.runId);
  }
  if (!finished) return { state: 'failed', row, message };
  const run = await ports.runs.getRun(row.runId);
  return run === undefined
    ? { state: 'failed', row, message: `Its run ${row.runId} was deleted.` }
    : { state: 'finished', row, run };
};

/** ms since 1970 */
const endTimeOf = (row: Trial, { experiment, jobs, pass }: SearchMeans): number => {
  const at = jobs.get(trialName(experiment, 'final', row.attempt))?.status?.completionTime ?? '';
  return Number.isNaN(Date.parse(at)) ? pass.now.getTime() : Date.parse(at);
};
