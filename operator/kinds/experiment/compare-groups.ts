import type { Run } from './run-store.ts';

/** Runs that differ by chance only: seeds or folds of one thing. */
export type RunGroup = {
  /** What `groupBy` has as value; by parent, the parent's id; of a run by itself, its own. */
  readonly name: string;
  readonly runs: readonly Run[];
};

/** The tag by which MLflow clients nest runs. */
export const PARENT_TAG = 'mlflow.parentRunId';

/** What tells repetitions apart, where nothing else is asked for. */
export const PAIR_BY = ['fold', 'seed'] as const;

/**
 * Runs with the same value of the param (or else tag) `groupBy`, in order of appearance; without it, runs
 * with the same parent. A parent that stands among its own nested runs is left out: it is their heading.
 * @returns the groups, and the ids of runs in none: such parents, and those without the param or tag
 */
export const groupRuns = (
  runs: readonly Run[],
  groupBy?: string,
): { readonly groups: readonly RunGroup[]; readonly ungrouped: readonly string[] } => {
  const parents = new Set(runs.map((run) => valueOf(run, PARENT_TAG)));
  const nameOf = (run: Run): string | undefined => {
    if (parents.has(run.runId)) return undefined;
    if (groupBy !== undefined) return valueOf(run, groupBy);
    return valueOf(run, PARENT_TAG) ?? run.runId;
  };
  const groups = new Map<string, Run[]>();
  const ungrouped: string[] = [];
  for (const run of runs) {
    const name = nameOf(run);
    if (name === undefined) ungrouped.push(run.runId);
    else groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  return { groups: [...groups].map(([name, all]) => ({ name, runs: all })), ungrouped };
};

/** Which repetition a run is: what it has of `keys`, as text; undefined where it has none of them. */
export const repetitionOf = (run: Run, keys: readonly string[]): string | undefined => {
  const values = keys.map((key) => valueOf(run, key));
  return values.every((each) => each === undefined)
    ? undefined
    : JSON.stringify(values.map((each) => each ?? null));
};

/** Whether each repetition of one group stands against exactly one of the other. */
export const repetitionsMatch = (a: RunGroup, b: RunGroup, keys: readonly string[]): boolean => {
  const [ofA, ofB] = [a, b].map(({ runs }) => {
    const all = runs.map((run) => repetitionOf(run, keys));
    const known = new Set(all.filter((each) => each !== undefined));
    return known.size === runs.length ? known : undefined;
  });
  if (ofA === undefined || ofB === undefined) return false;
  return ofA.size === ofB.size && [...ofA].every((each) => ofB.has(each));
};

/** `hasOwn`: keys come from users, and "constructor" is no param of every run. */
const valueOf = ({ params, tags }: Run, key: string): string | undefined => {
  if (Object.hasOwn(params, key)) return params[key];
  return Object.hasOwn(tags, key) ? tags[key] : undefined;
};
