import { PARENT_TAG } from './compare-groups.ts';
import { InvalidRunInput, RunNotFound, type Run, type RunStore } from './run-store.ts';

export const MOST_COMPARED = 200;

/** Nested runs are looked for among so many; a run knows its parent, not its children. */
const MOST_SEARCHED = 10_000;
/** Small, as reading a page takes time by the square of its size. */
const PAGE = 200;

export type RunChoice = {
  readonly run?: readonly string[];
  /** Ids of runs whose nested runs are meant. */
  readonly parent?: readonly string[];
};

/**
 * The active runs chosen, each once; without a choice, all of the Experiment.
 * @throws RunNotFound for an id that is no active run of this Experiment
 * @throws InvalidRunInput where they are too many, or a parent has no nested runs
 */
export const chosenRuns = async (
  store: RunStore,
  experimentUid: string,
  { run = [], parent = [] }: RunChoice,
): Promise<readonly Run[]> => {
  const named: Run[] = [];
  for (const runId of new Set(run)) named.push(await activeRun(store, experimentUid, runId));
  for (const runId of new Set(parent)) await activeRun(store, experimentUid, runId);
  const all = run.length + parent.length === 0;
  const listed =
    all || parent.length > 0
      ? await listedRuns(store, experimentUid, all ? undefined : new Set(parent))
      : [];
  const chosen = [...new Map([...named, ...listed].map((each) => [each.runId, each])).values()];
  if (chosen.length > MOST_COMPARED) throw tooMany();
  return chosen;
};

const activeRun = async (store: RunStore, experimentUid: string, runId: string): Promise<Run> => {
  const run = await store.getRun(runId);
  if (run?.experiment.uid !== experimentUid || run.lifecycleStage !== 'active') {
    throw new RunNotFound(runId);
  }
  return run;
};

/** Oldest first, so that groups stand in the order in which they were run. */
const listedRuns = async (
  store: RunStore,
  experimentUid: string,
  parents: ReadonlySet<string> | undefined,
): Promise<readonly Run[]> => {
  const found: Run[] = [];
  let cursor: string | undefined;
  for (let read = 0; read < MOST_SEARCHED; read += PAGE) {
    const page = await store.listRuns({
      experimentUids: [experimentUid],
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.runs.filter(({ tags }) => parents?.has(tags[PARENT_TAG] ?? '') ?? true));
    if (found.length > MOST_COMPARED) throw tooMany();
    if (page.nextCursor === undefined) return nested(found.toReversed(), parents);
    cursor = page.nextCursor;
  }
  throw new InvalidRunInput(
    `This Experiment has more than ${MOST_SEARCHED} runs: too many to look for those of a parent. ` +
      'Name the nested runs themselves with ?run=…&run=….',
  );
};

const nested = (runs: readonly Run[], parents: ReadonlySet<string> = new Set()) => {
  const having = new Set(runs.map(({ tags }) => tags[PARENT_TAG]));
  const childless = [...parents].find((each) => !having.has(each));
  if (childless !== undefined) {
    throw new InvalidRunInput(
      `Run ${childless} has no nested runs (none has the tag ${PARENT_TAG} with its id). ` +
        `Choose it by itself with ?run=${childless}.`,
    );
  }
  return runs;
};

const tooMany = (): InvalidRunInput =>
  new InvalidRunInput(
    `More than ${MOST_COMPARED} runs are chosen, which is the most. Choose fewer with ?run=… or ?parent=….`,
  );
