import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import type { Job } from '../kubernetes-objects.ts';
import { trialName } from './children.ts';
import { trialRunId } from './run-id.ts';
import type { Assignment } from './search-engine.ts';
import { fromEngine, type SearchMeans } from './search-means.ts';
import { numberOf, outcomeOf } from './search-settle.ts';
import type { Trial } from './trial-store.ts';

/** Writes the run and the row of a trial; each is left alone where it exists. */
export const writeTrial = async (
  { experiment, ports }: SearchMeans,
  number: number,
  assignments: readonly Assignment[],
): Promise<Trial> => {
  const { uid, namespace, name } = experiment.metadata;
  const run = await ports.runs.createTrial({
    experiment: { uid, namespace, name },
    number,
    parameters: Object.fromEntries(assignments.map((each) => [each.name, each.value])),
    name: trialName(experiment, number),
  });
  await ports.trials.open({ experimentUid: uid, runId: run.runId, number, assignments });
  return {
    ...{ runId: run.runId, number, phase: 'open', told: false, attempt: 0, started: -1 },
    ...{ assignments, values: [], reported: 0, runStatus: run.status },
  };
};

const MOST_AT_ONCE = 200;

/**
 * Makes rows again that the database has lost: from the Jobs, which carry number and parameters;
 * a trial whose Job is gone, too, becomes one that was stopped, so that its number stays used and
 * nothing is started twice.
 * @returns whole: none was missing; more: others are left for the next pass
 */
export const recoverRows = async (means: SearchMeans): Promise<'whole' | 'recovered' | 'more'> => {
  const { experiment, ports, jobs } = means;
  const { uid } = experiment.metadata;
  const { next, total } = means.tally.counts;
  const numbers = [...jobs.values()].map(numberOf).filter(Number.isSafeInteger);
  const wanted = Math.max(next, experiment.status?.trials ?? 0, ...numbers.map((each) => each + 1));
  if (total === wanted) return 'whole';
  const gaps = await ports.trials.gaps(uid, wanted, MOST_AT_ONCE);
  for (const number of gaps) await recoverRow(means, number);
  return gaps.length === MOST_AT_ONCE ? 'more' : 'recovered';
};

const recoverRow = async (means: SearchMeans, number: number): Promise<void> => {
  const { experiment, ports, jobs } = means;
  const own = [...jobs.values()]
    .filter((job) => numberOf(job) === number)
    .toSorted(byName)
    .at(-1);
  const trial = await writeTrial(means, number, own === undefined ? [] : assignmentsOf(own));
  if (own === undefined) {
    const message = 'Its row was lost, and its Job is gone.';
    const end = { phase: 'stopped', reason: 'RowLost', message } as const;
    await ports.trials.end(trial.runId, end, means.study.directions);
    return;
  }
  const attempt = Number(/-r(\d)$/.exec(own.metadata.name)?.[1] ?? 0);
  if (own.metadata.name !== trialName(experiment, number, attempt) || attempt === 0) return;
  const why = { reason: 'Recovered', message: 'Its row was made again from its Job.' };
  await ports.trials.retry(trialRunId(experiment.metadata.uid, number), attempt, why);
};

const byName = (a: Job, b: Job): number => (a.metadata.name < b.metadata.name ? -1 : 1);

/** What the Job was started with; people can change annotations. */
const assignmentsOf = ({ metadata }: Job): readonly Assignment[] => {
  try {
    const value: unknown = JSON.parse(metadata.annotations?.[ANNOTATIONS.parameters] ?? '[]');
    return Array.isArray(value) ? value.filter(isAssignment) : [];
  } catch {
    return [];
  }
};

const isAssignment = (value: unknown): value is Assignment =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  'value' in value &&
  typeof value.name === 'string' &&
  typeof value.value === 'string';

/**
 * Tells an engine that lost trials of them again, in order: their parameters and how they ended.
 * @returns whether there is more to do
 */
export const replayTrials = async (means: SearchMeans): Promise<boolean> => {
  const { experiment, study, ports } = means;
  if (means.behind === undefined) return false;
  const from = means.behind;
  means.behind = undefined;
  const page = await ports.trials.list(experiment.metadata.uid, { from, limit: MOST_AT_ONCE });
  for (const trial of page.trials) {
    const done = await fromEngine(means, async () => {
      await ports.search.ask(study, trial.number, trial.assignments);
      if (trial.told) await ports.search.tell(study, trial.number, outcomeOf(trial));
      return true;
    });
    if (done === undefined) return false;
    // What was reported of it is gone, too.
    if (!trial.told && trial.reported > 0)
      await ports.trials.progress(trial.runId, { reported: 0 });
  }
  return true;
};
