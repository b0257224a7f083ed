import type { Experiment } from '../../../crds/schema/experiment.ts';
import { nodesOf } from './nodes.ts';
import type { RunStore } from './run-store.ts';

/** How and when a trial ended; ms since 1970. */
export type RunEnd = {
  readonly status: 'FINISHED' | 'FAILED' | 'KILLED';
  readonly at: number;
};

/**
 * Ends the run of a trial. One that its own client ended stays as that said, unless the trial ran on
 * several nodes: the first may have finished well, and another have failed.
 */
export const endRun = async (
  experiment: Experiment,
  runId: string,
  { status, at }: RunEnd,
  runs: Pick<RunStore, 'finishRun' | 'getRun' | 'updateRun'>,
): Promise<void> => {
  await runs.finishRun(runId, status, at);
  if (nodesOf(experiment) === 1) return;
  const run = await runs.getRun(runId);
  if (run !== undefined && run.status !== status)
    await runs.updateRun(runId, { status, endTime: at });
};
