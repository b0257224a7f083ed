import type { Experiment } from '../../../crds/schema/experiment.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { runPrefix } from '../../artifacts/locations.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import type { Finalized, Pass } from '../../runtime/reconciler.ts';
import type { Pod } from '../kubernetes-objects.ts';
import type { RunPorts } from '../ports.ts';

/**
 * Deletes the runs of an Experiment. First it is closed, so that nobody starts or records a trial any
 * more; then go its Jobs, so that nothing is logged, then the artifacts, then the rows. Versions made of its runs have copies of their own.
 */
export const finalize = async (
  experiment: Experiment,
  pass: Pass,
  { artifacts, runs }: RunPorts,
): Promise<Finalized> => {
  const { namespace, name, uid } = experiment.metadata;
  await runs.closeExperiment(uid);
  for (const job of pass.owned(JOB)) {
    if (job.metadata.deletionTimestamp === undefined) await pass.delete(JOB, job);
  }
  const busy = pass
    .cachedList<Pod>(POD)
    .filter(({ metadata }) => metadata.labels?.[LABELS.experiment] === name)
    .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending');
  if (busy.length > 0) {
    return {
      done: false,
      message: `${busy.length} pod(s) of its trials are still ending, such as ${busy[0]?.metadata.name ?? ''}.`,
      requeueAfterMs: 5_000,
    };
  }
  let files = 0;
  for await (const runId of runIdsOf(uid, runs)) {
    files += await artifacts.deletePrefix(runPrefix(namespace, runId));
  }
  const rows = await runs.deleteExperimentRuns(uid);
  if (rows > 0) {
    pass.event('Normal', 'RunsDeleted', `Deleted ${rows} run(s) and ${files} artifact(s).`);
  }
  return { done: true };
};

async function* runIdsOf(uid: string, runs: RunPorts['runs']): AsyncIterable<string> {
  let cursor: string | undefined;
  do {
    const page = await runs.listRuns({
      experimentUids: [uid],
      view: 'all',
      limit: 1000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { runId } of page.runs) yield runId;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
