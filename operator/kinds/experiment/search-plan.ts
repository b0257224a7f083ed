import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { TrialCounts } from './trial-store.ts';

export type SearchEnd = 'GoalReached' | 'MaxTrialsReached' | 'SpaceExhausted';

/** What is to be done next, as the rows of the trials stand. */
export type SearchPlan =
  /** This many more trials may start now. */
  | { readonly do: 'start'; readonly count: number }
  | { readonly do: 'wait' }
  /** Too many have failed: those that run are to be stopped. */
  | { readonly do: 'stop' }
  | { readonly do: 'complete'; readonly reason: SearchEnd }
  | { readonly do: 'fail'; readonly message: string };

export type SearchFacts = {
  readonly counts: TrialCounts;
  /** First objective of the best trial. */
  readonly best: number | undefined;
  /** The engine has no more to give. */
  readonly exhausted: boolean;
};

/** One step of a search (pure). */
export const planSearch = ({ spec }: Experiment, facts: SearchFacts): SearchPlan => {
  const { counts } = facts;
  const busy = counts.open > 0 || counts.untold > 0;
  if (counts.failed > spec.maxFailedTrialCount) {
    if (counts.open > 0) return { do: 'stop' };
    return counts.untold > 0
      ? { do: 'wait' }
      : { do: 'fail', message: tooManyFailed(spec, counts) };
  }
  const end = endOf(spec, facts);
  if (end !== undefined) {
    if (busy) return { do: 'wait' };
    return counts.complete > 0
      ? { do: 'complete', reason: end }
      : { do: 'fail', message: `None of ${counts.total} trials finished well.` };
  }
  if (spec.suspend) return { do: 'wait' };
  const room = Math.min(
    spec.parallelTrialCount - counts.open,
    (spec.maxTrialCount ?? Number.POSITIVE_INFINITY) - counts.total,
  );
  return room > 0 ? { do: 'start', count: room } : { do: 'wait' };
};

const endOf = (
  spec: Experiment['spec'],
  { counts, best, exhausted }: SearchFacts,
): SearchEnd | undefined => {
  if (reachesGoal(spec.objective, best)) return 'GoalReached';
  if (counts.total >= (spec.maxTrialCount ?? Number.POSITIVE_INFINITY)) return 'MaxTrialsReached';
  return exhausted ? 'SpaceExhausted' : undefined;
};

const reachesGoal = (
  objective: Experiment['spec']['objective'],
  best: number | undefined,
): boolean => {
  if (objective?.goal === undefined || best === undefined) return false;
  return objective.type === 'minimize' ? best <= objective.goal : best >= objective.goal;
};

const tooManyFailed = (
  { maxFailedTrialCount }: Experiment['spec'],
  { failed, total }: TrialCounts,
): string =>
  `${failed} of ${total} trials failed, more than spec.maxFailedTrialCount (${maxFailedTrialCount}) allows.`;
