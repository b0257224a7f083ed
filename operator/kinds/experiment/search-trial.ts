import { JOB } from '../../runtime/kubernetes-types.ts';
import { refusalOf } from '../refusal.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import { eventsOf, findJob, startOf } from './trial-jobs.ts';
import { trialJob, trialName } from './children.ts';
import { lacksPods } from './node-pods.ts';
import { judge } from './objective-values.ts';
import { inNote, lastWords, withLines } from './last-words.ts';
import { encodeCursor } from './run-cursor.ts';
import { noteImage } from './run-image.ts';
import { engineIsDown, fromEngine, type SearchMeans } from './search-means.ts';
import { settleTrial } from './search-settle.ts';
import { fillTemplate } from './template.ts';
import { failureOf, isRetried, isStuckPulling, type FailureClass } from './trial-failure.ts';
import { followLog, metricNames, readsLog } from './trial-log.ts';
import { endedWithoutJob, trialState, type TrialState } from './trial-state.ts';
import type { Trial, TrialEnd } from './trial-store.ts';

/** Takes one trial as far as it can go now: Job, metrics, end, and the engine's knowing of it. */
export const advanceTrial = async (trial: Trial, means: SearchMeans): Promise<void> => {
  if (trial.phase !== 'open') return settleTrial(trial, means);
  const job = await jobOf(trial, means);
  if (job === undefined) return;
  if (job === 'gone') return withoutJob(trial, means);
  if (trial.started < trial.attempt) {
    await means.ports.runs.startRun(trial.runId, startOf(job, means.pass));
    await means.ports.trials.progress(trial.runId, { started: trial.attempt });
  }
  const pods = means.pods.get(job.metadata.uid ?? '') ?? [];
  return withJob(trial, { job, pods }, means);
};

/** The trial's Job, which is started where it never was; undefined where it cannot be. */
const jobOf = async (trial: Trial, means: SearchMeans): Promise<Job | 'gone' | undefined> => {
  const { experiment, pass, ports, notes, jobs } = means;
  const name = trialName(experiment, trial.number, trial.attempt);
  const cached = jobs.get(name);
  if (cached !== undefined) return cached;
  const assignments = Object.fromEntries(trial.assignments.map((each) => [each.name, each.value]));
  const filled = fillTemplate(experiment, name, assignments);
  if ('fault' in filled) {
    notes.push({ reason: 'InvalidTemplate', message: filled.fault, stalled: true });
    return undefined;
  }
  const wanted = trialJob(experiment, trial, filled.spec, ports.children);
  if (trial.started >= trial.attempt) return (await findJob(wanted, pass)) ?? 'gone';
  try {
    return await pass.ensure<Job>(JOB, wanted);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    notes.push({
      reason: refusal.reason,
      message: `Job ${name} cannot be created: ${refusal.words}`,
      stalled: true,
    });
    return undefined;
  }
};

/** Somebody deleted the Job; what its run says of its end counts. */
const withoutJob = async (trial: Trial, means: SearchMeans): Promise<void> => {
  const run = await means.ports.runs.getRun(trial.runId);
  if (run !== undefined && endedWithoutJob(means.experiment, run)?.state === 'succeeded') {
    return finished(trial, undefined, means);
  }
  const name = trialName(means.experiment, trial.number, trial.attempt);
  return broken(trial, 'PodLost', { message: `Job ${name} is gone.`, lines: '' }, means);
};

export type Seen = { readonly job: Job; readonly pods: readonly Pod[] };

const withJob = async (trial: Trial, seen: Seen, means: SearchMeans): Promise<void> => {
  const state = await stateOf(seen, means);
  await noteImage(means.experiment, trial, seen, means.ports.runs);
  switch (state.state) {
    case 'refused':
      means.notes.push({ reason: state.reason, message: state.message, stalled: true });
      return;
    case 'queued':
      means.queued.push(trial.number);
      return;
    case 'starting':
      return whileStarting(trial, seen, means);
    case 'running':
      return whileRunning(trial, seen, means);
    case 'failed': {
      const failure = failureOf(seen.job, seen.pods);
      // Of a node that is gone nobody reads a log.
      const gone = failure === 'NodeLost';
      const said = { message: state.message, lines: gone ? '' : await linesOf(seen, means) };
      if (!gone) await readLog(trial, seen, true, means);
      return broken(trial, failure, said, means);
    }
    case 'succeeded':
      return finished(trial, seen, means);
  }
};

const linesOf = (seen: Seen, { experiment, pass, ports }: SearchMeans): Promise<string> =>
  lastWords(experiment, seen, { logs: ports.logs, log: pass.log });

/** Within this time a Job has no pod because its controller has not got to it. */
const NEW_MS = 5_000;

export const stateOf = async ({ job, pods }: Seen, { pass }: SearchMeans): Promise<TrialState> => {
  const age = pass.now.getTime() - Date.parse(job.metadata.creationTimestamp ?? '');
  const events = lacksPods(job, pods) && age > NEW_MS ? await eventsOf(job, pass) : [];
  return trialState({ job, pods, events });
};

const whileStarting = async (trial: Trial, { job, pods }: Seen, means: SearchMeans) => {
  const stuck = pods.find((pod) => isStuckPulling(pod, means.pass.now));
  if (stuck === undefined) return;
  const message = `Job ${job.metadata.name} failed: its image could not be pulled for 10 minutes; correct spec.trialTemplate or the registry's credentials.`;
  await broken(trial, 'ImagePull', { message, lines: '' }, means);
};

const whileRunning = async (trial: Trial, seen: Seen, means: SearchMeans): Promise<void> => {
  await readLog(trial, seen, false, means);
  if (means.study.earlyStopping === undefined || engineIsDown(means)) return;
  if (await isHopeless(trial, means)) {
    await endTrial(trial, { phase: 'pruned', reason: 'EarlyStopped' }, means);
  }
};

/** Takes over what the log of a training holds of the metrics; `ended`: for the last time. */
export const readLog = async (
  trial: Trial,
  seen: Seen,
  ended: boolean,
  { experiment, ports }: Pick<SearchMeans, 'experiment' | 'ports'>,
): Promise<void> => {
  if (experiment.spec.metricsCollectorSpec?.collector.kind === 'None') return;
  const objective = experiment.spec.objective?.objectiveMetricName ?? '';
  const summaries = await ports.trials.summaries(trial.runId, [objective]);
  if (!readsLog(experiment, trial, summaries)) return;
  await followLog(experiment, trial, { ...seen, ended }, ports);
};

const MOST_POINTS = 1000;

/** Tells the engine what the trial has logged since; each step once, with its last value. */
const isHopeless = async (trial: Trial, means: SearchMeans): Promise<boolean> => {
  const { experiment, study, ports } = means;
  const name = experiment.spec.objective?.objectiveMetricName ?? '';
  const { metrics } = await ports.runs.metricHistory(trial.runId, name, {
    limit: MOST_POINTS,
    cursor: encodeCursor([trial.reported]),
  });
  if (metrics.length === 0) return false;
  const bySteps = new Map(
    metrics
      .filter(({ step, value }) => step >= 0 && Number.isFinite(value))
      .map(({ step, value }) => [step, value]),
  );
  const values = [...bySteps]
    .map(([step, value]) => ({ step, value }))
    .toSorted((a, b) => a.step - b.step);
  const answer = await fromEngine(means, () => ports.search.report(study, trial.number, values));
  if (answer === undefined) return false;
  if (answer.prune) return true;
  await ports.trials.progress(trial.runId, { reported: trial.reported + metrics.length });
  return false;
};

const finished = async (
  trial: Trial,
  seen: Seen | undefined,
  means: SearchMeans,
): Promise<void> => {
  const { experiment, ports } = means;
  if (seen !== undefined) await readLog(trial, seen, true, means);
  const judged = judge(
    experiment,
    await ports.trials.summaries(trial.runId, metricNames(experiment)),
  );
  if ('values' in judged)
    return endTrial(trial, { phase: 'complete', values: judged.values }, means);
  const lines = seen === undefined ? '' : await linesOf(seen, means);
  const message = withLines(judged.missing, lines);
  return failedFor(trial, { reason: 'MetricMissing', message }, means);
};

type Said = { readonly message: string; readonly lines: string };

/** The cluster's faults are mended by another attempt, up to a limit; all else is a failed trial. */
const broken = async (
  trial: Trial,
  failure: FailureClass,
  { message, lines }: Said,
  means: SearchMeans,
): Promise<void> => {
  const { experiment, pass, ports, jobs } = means;
  const words = withLines(message, lines);
  if (!isRetried(experiment, failure, trial.attempt)) {
    return failedFor(trial, { reason: failure, message: words }, means);
  }
  const attempt = trial.attempt + 1;
  await ports.trials.retry(trial.runId, attempt, { reason: failure, message: words });
  // A client that was told to end has ended the run, too.
  await ports.runs.updateRun(trial.runId, { status: 'RUNNING' });
  const old = jobs.get(trialName(experiment, trial.number, trial.attempt));
  if (old !== undefined) await pass.delete(JOB, old);
  pass.event(
    'Warning',
    'TrialRetried',
    inNote(
      `Trial ${trial.number} is started again (attempt ${attempt + 1}) after ${failure}: ${words}`,
    ),
  );
  const { log: _old, ...rest } = trial;
  const again = { ...rest, attempt };
  means.tally.retried(again);
  await advanceTrial(again, means);
};

const failedFor = async (
  trial: Trial,
  why: { readonly reason: string; readonly message: string },
  means: SearchMeans,
): Promise<void> => {
  means.pass.event(
    'Warning',
    'TrialFailed',
    inNote(`Trial ${trial.number}: ${why.reason}: ${why.message}`),
  );
  await endTrial(trial, { phase: 'failed', ...why }, means);
};

/** The row ends first: it is what a process that starts anew goes by. */
export const endTrial = async (trial: Trial, end: TrialEnd, means: SearchMeans): Promise<void> => {
  const result = await means.ports.trials.end(trial.runId, end, means.study.directions);
  const ended = { ...trial, ...result };
  means.tally.ended(ended);
  await settleTrial(ended, means);
};
