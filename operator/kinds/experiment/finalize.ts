import type { Experiment } from '../../../crds/schema/experiment.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { runPrefix } from '../../artifacts/locations.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import type { Finalized, Pass } from '../../runtime/reconciler.ts';
import type { Pod } from '../kubernetes-objects.ts';
import type { RunPorts } from '../ports.ts';
import { isSearch, studyName } from './study.ts';

/**
 * Deletes the runs of an Experiment. First it is closed, so that nobody starts or records a trial any
 * more; then go its Jobs, so that nothing is logged, then the engine's study, the artifacts and the
 * rows. Versions made of its runs have copies of their own.
 */
export const finalize = async (
  experiment: Experiment,
  pass: Pass,
  ports: RunPorts,
): Promise<Finalized> => {
  const { artifacts, runs } = ports;
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
  const waiting = await forgetStudy(experiment, pass, ports);
  if (waiting !== undefined) return waiting;
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

/** So long a deletion waits for the search engine; after that the study is left to the hourly sweep (study-sweep.ts). */
const ENGINE_MS = 60_000;

const forgetStudy = async (
  experiment: Experiment,
  pass: Pass,
  { search }: RunPorts,
): Promise<Finalized | undefined> => {
  if (!isSearch(experiment)) return undefined;
  const study = studyName(experiment);
  try {
    await search.forget(study);
    return undefined;
  } catch (error) {
    const since = Date.parse(experiment.metadata.deletionTimestamp ?? '');
    if (pass.now.getTime() - since < ENGINE_MS) {
      const words = error instanceof Error ? error.message : String(error);
      const message = `The search engine does not answer; its study is deleted when it does. ${words}`;
      return { done: false, message, requeueAfterMs: 5_000 };
    }
    pass.log.warn(
      { err: error, study },
      'the study of a deleted Experiment stays until a sweep finds it',
    );
    return undefined;
  }
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
