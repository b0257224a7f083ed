import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { PodLogs } from '../../runtime/pod-logs.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import { firstNode } from './node-pods.ts';
import { LOG_START, readMetricLines, type LogCursor, type LogReading } from './metric-lines.ts';
import type { RunStore } from './run-store.ts';
import { objectivesOf } from './study.ts';
import type { MetricSummary, Trial, TrialStore } from './trial-store.ts';

export type LogPorts = {
  readonly runs: RunStore;
  readonly trials: TrialStore;
  readonly logs: PodLogs;
};

/** The metrics of an Experiment that are looked at: objectives first. */
export const metricNames = (experiment: Experiment): readonly string[] => [
  ...objectivesOf(experiment).map(({ name }) => name),
  ...(experiment.spec.objective?.additionalMetricNames ?? []),
];

/**
 * Whether the trial's log is read for metrics: where the spec says so, or where it says nothing and
 * the objective comes from nowhere else.
 */
export const readsLog = (
  { spec }: Experiment,
  trial: Trial,
  summaries: readonly MetricSummary[],
): boolean => {
  const kind = spec.metricsCollectorSpec?.collector.kind;
  if (kind !== undefined) return kind === 'StdOut';
  const objective = spec.objective?.objectiveMetricName;
  const found = Object.keys(trial.log?.steps ?? {}).length > 0;
  return found || !summaries.some(({ name }) => name === objective);
};

const PAGE_BYTES = 1024 * 1024;
/** A log may grow faster than it is read; the rest is read in the next pass. */
const MOST_PAGES = 16;
const BATCH = 1000;

type Place = { readonly job: Job; readonly pods: readonly Pod[]; readonly ended: boolean };

/**
 * Logs the metrics that stand in the trial's log since it was last read. The points are written
 * before the cursor moves: after a kill between the two the same lines give the same points again.
 */
export const followLog = async (
  experiment: Experiment,
  trial: Trial,
  at: Place,
  { runs, trials, logs }: LogPorts,
): Promise<void> => {
  let cursor = trial.log ?? LOG_START;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const read = await readPage(experiment, cursor, at, logs);
    if (read === undefined) return;
    for (let from = 0; from < read.metrics.length; from += BATCH)
      await runs.logBatch(trial.runId, { metrics: read.metrics.slice(from, from + BATCH) });
    if (!sameCursor(read.cursor, cursor)) await trials.progress(trial.runId, { log: read.cursor });
    cursor = read.cursor;
    if (!read.more) return;
  }
};

type Page = LogReading & { readonly more: boolean };

/** undefined: there is no log. */
const readPage = async (
  experiment: Experiment,
  cursor: LogCursor,
  { job, pods, ended }: Place,
  logs: PodLogs,
): Promise<Page | undefined> => {
  const pod = firstNode(pods);
  if (pod === undefined) return undefined;
  const { name, namespace = '' } = pod.metadata;
  const container = containerOf(experiment, job);
  const text = await logs.readLog(
    { namespace, name },
    {
      ...(container === undefined ? {} : { container }),
      ...(cursor.time === '' ? {} : { since: secondOf(cursor.time) }),
      limitBytes: PAGE_BYTES,
    },
  );
  if (text === undefined) return undefined;
  const more = Buffer.byteLength(text) >= PAGE_BYTES;
  const read = readMetricLines(text, metricNames(experiment), cursor, ended && !more);
  return more && sameCursor(read.cursor, cursor)
    ? { ...read, cursor: pastSecond(read.cursor, text), more }
    : { ...read, more };
};

/** The name of the container that trains. */
export const containerOf = ({ spec }: Experiment, job: Job): string | undefined =>
  spec.trialTemplate.primaryContainerName ?? job.spec.template.spec.containers[0]?.name;

const secondOf = (time: string): string => `${time.slice(0, 19)}Z`;

const sameCursor = (a: LogCursor, b: LogCursor): boolean =>
  a.time === b.time && a.lines === b.lines;

/** More than a page within one second would be read for ever: the rest of that second is skipped. */
const pastSecond = (cursor: LogCursor, text: string): LogCursor => {
  const second = Date.parse(secondOf(cursor.time === '' ? text : cursor.time));
  if (Number.isNaN(second)) return cursor;
  const next = new Date(second + 1000).toISOString().slice(0, 19);
  return { ...cursor, time: `${next}.000000000Z`, lines: 0 };
};
