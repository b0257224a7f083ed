import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { Reason } from '../../../crds/schema/conditions.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import type { RunPorts } from '../ports.ts';
import { StudyBehind, StudyChanged, type Study } from './search-engine.ts';
import { SearchTally } from './search-tally.ts';
import { objectivesOf } from './study.ts';

/** Something that keeps a trial from going on, worth saying in the status. */
export type Note = {
  readonly reason: Reason;
  readonly message: string;
  /** Only a user helps. */
  readonly stalled: boolean;
};

/** What the steps of one pass over a search share. */
export type SearchMeans = {
  readonly experiment: Experiment;
  readonly study: Study;
  readonly pass: Pass;
  readonly ports: RunPorts;
  readonly jobs: ReadonlyMap<string, Job>;
  /** By the uid of their Job. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
  readonly notes: Note[];
  /** Numbers of trials whose Jobs are suspended. */
  readonly queued: number[];
  readonly tally: SearchTally;
  /** Trials the engine lacks, from this number on. */
  behind: number | undefined;
};

/** Reads how the trials stand, once for the pass. */
export const tallyOf = async (experiment: Experiment, ports: RunPorts): Promise<SearchTally> => {
  const { uid } = experiment.metadata;
  const direction = objectivesOf(experiment)[0]?.direction ?? 'minimize';
  const counts = await ports.trials.counts(uid);
  const unsettled = await ports.trials.unsettled(uid);
  const best = counts.complete === 0 ? undefined : await ports.trials.best(uid, direction);
  return new SearchTally({ counts, best, unsettled, direction });
};

export const meansOf = async (
  experiment: Experiment,
  study: Study,
  pass: Pass,
  ports: RunPorts,
): Promise<SearchMeans> => {
  const pods = new Map<string, Pod[]>();
  for (const pod of pass.cachedList<Pod>(POD)) {
    const uid = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'Job')?.uid;
    if (uid !== undefined) pods.set(uid, [...(pods.get(uid) ?? []), pod]);
  }
  return {
    ...{ experiment, study, pass, ports, pods, notes: [], queued: [], behind: undefined },
    tally: await tallyOf(experiment, ports),
    jobs: new Map(pass.owned<Job>(JOB).map((job) => [job.metadata.name, job])),
  };
};

/**
 * Asks the engine. One that does not answer is noted, and the pass goes on with what needs none:
 * undefined. Which errors are the database's is told by their code.
 */
export const fromEngine = async <T>(
  means: SearchMeans,
  ask: () => Promise<T>,
): Promise<T | undefined> => {
  try {
    return await orForget(means, ask);
  } catch (error) {
    if (error instanceof StudyBehind) {
      means.behind = Math.min(means.behind ?? error.next, error.next);
      return undefined;
    }
    const words = error instanceof Error ? error.message : String(error);
    const stalled = error instanceof Error && 'code' in error && error.code === 'NoSearchEngine';
    means.notes.push({
      ...{ reason: 'SearchEngineUnavailable', stalled },
      message: stalled
        ? words
        : `The search engine does not answer, so no trial starts; it goes on by itself. ${words}`,
    });
    return undefined;
  }
};

/** The rows are the truth: a study that began otherwise is made again from them. */
const orForget = async <T>({ study, ports }: SearchMeans, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof StudyChanged)) throw error;
    await ports.search.forget(study.name);
    throw new StudyBehind(study.name, 0);
  }
};

/** Whether the engine has failed in this pass; it is not asked again and again. */
export const engineIsDown = ({ notes, behind }: SearchMeans): boolean =>
  behind !== undefined || notes.some(({ reason }) => reason === 'SearchEngineUnavailable');
