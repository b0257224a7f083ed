import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import type { RunPorts } from '../ports.ts';
import { inNote, lastWords, withLines } from './last-words.ts';
import { endRun } from './run-end.ts';
import { noteImage } from './run-image.ts';
import type { Run } from './run-store.ts';
import { readLog, type Seen } from './search-trial.ts';
import { failureOf } from './trial-failure.ts';
import { metricNames } from './trial-log.ts';
import type { TrialState } from './trial-state.ts';
import type { Trial, TrialEnd } from './trial-store.ts';

/** How often the log of a training is read that reports by it; nothing tells of a line. */
export const FOLLOW_MS = 30_000;

type Means = { readonly pass: Pass; readonly ports: RunPorts };

/** Whether metrics may stand in its log: only named ones are read. */
export const reportsByLog = (experiment: Experiment): boolean =>
  metricNames(experiment).length > 0 &&
  experiment.spec.metricsCollectorSpec?.collector.kind !== 'None';

/**
 * Keeps what would go with the pod of a single training: its image, and the metrics in its log. It has
 * a row as a trial of a search has, which holds how far the log was read.
 */
export const followTraining = async (
  experiment: Experiment,
  run: Run,
  at: { readonly seen: Seen; readonly state: TrialState['state'] },
  ports: RunPorts,
): Promise<void> => {
  const row = await rowOf(experiment, run, ports);
  await noteImage(experiment, run, at.seen, ports.runs);
  if (row === undefined || HAS_NO_LOG.includes(at.state)) return;
  if (!reportsByLog(experiment)) return;
  await readLog(row, at.seen, at.state !== 'running', { experiment, ports });
};

const HAS_NO_LOG: readonly TrialState['state'][] = ['starting', 'queued', 'refused'];

const rowOf = async (
  { metadata: { uid } }: Experiment,
  { runId }: Run,
  { trials }: RunPorts,
): Promise<Trial | undefined> => {
  await trials.open({ experimentUid: uid, runId, number: 0, assignments: [] });
  return (await trials.list(uid, { limit: 1 })).trials[0];
};

type Ended = { readonly experiment: Experiment; readonly run: Run; readonly at: Date };

/** Brings the end of the training to its row and its run, which may be repeated. */
export const endTraining = async (
  { experiment, run, at }: Ended,
  end: TrialEnd,
  { runs, trials }: RunPorts,
): Promise<void> => {
  const { uid } = run.experiment;
  await trials.open({ experimentUid: uid, runId: run.runId, number: 0, assignments: [] });
  await trials.end(run.runId, end, []);
  const status = end.phase === 'failed' ? 'FAILED' : 'FINISHED';
  await endRun(experiment, run.runId, { status, at: at.getTime() }, runs);
  await trials.told(run.runId);
};

/** Why it failed, with the last lines of its log; an Event says so, too. */
export const failedEnd = async (
  experiment: Experiment,
  message: string,
  seen: Seen | undefined,
  { pass, ports }: Means,
): Promise<TrialEnd> => {
  const reason = seen === undefined ? 'PodLost' : failureOf(seen.job, seen.pods);
  const lines =
    seen === undefined || reason === 'NodeLost'
      ? ''
      : await lastWords(experiment, seen, {
          ...{ logs: ports.logs, log: pass.log },
        });
  const words = withLines(message, lines);
  pass.event('Warning', 'TrialFailed', inNote(`${reason}: ${words}`));
  return { phase: 'failed', reason, message: words };
};
