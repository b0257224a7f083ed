import type { Experiment } from '../../../crds/schema/experiment.ts';
import { contour } from '../../plots/contour.ts';
import { EvenSample } from '../../plots/even-sample.ts';
import { importancePlot } from '../../plots/importance.ts';
import { intermediateValues, MOST_CURVES, type Curve } from '../../plots/intermediate-values.ts';
import { optimizationHistory } from '../../plots/optimization-history.ts';
import { parallelCoordinates } from '../../plots/parallel-coordinates.ts';
import { paretoFront } from '../../plots/pareto-front.ts';
import { MOST_SHOWN, SearchSample, type PlottedSearch } from '../../plots/search-sample.ts';
import { slice } from '../../plots/slice.ts';
import { importancesOf } from './importance.ts';
import {
  chosenObjective,
  chosenParameter,
  objectivesToPlot,
  type PlotQuery,
} from './plot-choice.ts';
import { curveState, dimensionsOf, plottedTrial } from './plotted-search.ts';
import { RunNotFound, type RunStore } from './run-store.ts';
import type { ImportanceSource } from './search-engine.ts';
import { TRIAL_PAGE, type Trial, type TrialStore } from './trial-store.ts';

/** The plots there are, by Optuna's names. */
export const PLOT_KINDS = [
  'optimization-history',
  'slice',
  'parallel-coordinates',
  'contour',
  'intermediate-values',
  'pareto-front',
  'importance',
] as const;

export type PlotKind = (typeof PLOT_KINDS)[number];

export type PlotSources = {
  readonly trials: Pick<TrialStore, 'list' | 'front'>;
  readonly runs: Pick<RunStore, 'metricHistory'>;
  readonly importance: ImportanceSource;
};

/**
 * One plot of a search as an SVG document. Reads all trials page by page and keeps a sample.
 * Throws Problem InvalidRequest where the query names what the search does not have.
 */
export const plotOf = async (
  kind: PlotKind,
  experiment: Experiment,
  query: PlotQuery,
  sources: PlotSources,
): Promise<string> => {
  const objectives = objectivesToPlot(experiment);
  const objective = chosenObjective(objectives, 'objective', { name: query.objective });
  const named = objectives[objective]?.name ?? '';
  if (kind === 'intermediate-values') return reportedValues(experiment, named, sources);
  if (kind === 'importance') {
    const found = await importancesOf(experiment, objective, sources.importance);
    const { name } = experiment.metadata;
    return importancePlot(
      { name, objective: named, evaluator: found.evaluator },
      found.importances,
    );
  }
  const search = {
    ...{ name: experiment.metadata.name, objectives, objective },
    parameters: dimensionsOf(experiment),
  };
  if (kind === 'pareto-front') return frontOf(experiment, search, query, sources.trials);
  const draw = drawingOf(kind, search.parameters, query);
  return draw(await readSearch(sources.trials, experiment.metadata.uid ?? '', search));
};

type Chosen = ConstructorParameters<typeof SearchSample>[0];
type OfTrials = Exclude<PlotKind, 'intermediate-values' | 'importance' | 'pareto-front'>;

/** What draws a plot that needs the trials alone; names are checked before any trial is read. */
const drawingOf = (
  kind: OfTrials,
  parameters: Chosen['parameters'],
  query: PlotQuery,
): ((search: PlottedSearch) => string) => {
  switch (kind) {
    case 'optimization-history':
      return optimizationHistory;
    case 'parallel-coordinates':
      return parallelCoordinates;
    case 'slice': {
      const parameter = chosenParameter(parameters, 'parameter', { name: query.parameter });
      return (search) => slice(search, parameter);
    }
    case 'contour': {
      const x = chosenParameter(parameters, 'x', { name: query.x });
      // The first one that is not taken.
      const otherwise = x === parameters[0] ? 1 : 0;
      const y = chosenParameter(parameters, 'y', { name: query.y, otherwise });
      return (search) => contour(search, x, y);
    }
  }
};

const frontOf = async (
  { metadata: { uid = '' } }: Experiment,
  search: Chosen,
  query: PlotQuery,
  trials: PlotSources['trials'],
): Promise<string> => {
  const { objectives } = search;
  const x = chosenObjective(objectives, 'x', { name: query.x });
  const y = chosenObjective(objectives, 'y', { name: query.y, otherwise: x === 0 ? 1 : 0 });
  const front = await trials.front(uid, MOST_SHOWN);
  return paretoFront(await readSearch(trials, uid, search), {
    ...{ x, y, total: front.total },
    trials: front.trials.map(plottedTrial).filter((each) => each !== undefined),
  });
};

const readSearch = async (
  trials: PlotSources['trials'],
  uid: string,
  search: Chosen,
): Promise<PlottedSearch> => {
  const sample = new SearchSample(search);
  for await (const trial of allTrials(trials, uid)) sample.add(plottedTrial(trial));
  return sample.search;
};

async function* allTrials(trials: PlotSources['trials'], uid: string): AsyncGenerator<Trial> {
  let cursor: string | undefined;
  do {
    const page = await trials.list(uid, {
      limit: TRIAL_PAGE.most,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* page.trials;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

/** What a sample of the trials logged under the objective's name. */
const reportedValues = async (
  { metadata }: Experiment,
  metric: string,
  { trials, runs }: PlotSources,
): Promise<string> => {
  const chosen = new EvenSample<Pick<Trial, 'runId' | 'number' | 'phase'>>(MOST_CURVES);
  for await (const { runId, number, phase } of allTrials(trials, metadata.uid ?? ''))
    chosen.add({ runId, number, phase });
  const curves: Curve[] = [];
  for (const trial of chosen.items) {
    const points = await historyOf(runs, trial.runId, metric);
    curves.push({ number: trial.number, state: curveState(trial), points });
  }
  return intermediateValues({ name: metadata.name, metric, total: chosen.seen }, curves);
};

/** Of one trial; a plot shows its first so many. */
const MOST_STEPS = 10_000;

const historyOf = async (
  runs: PlotSources['runs'],
  runId: string,
  metric: string,
): Promise<Curve['points']> => {
  try {
    return (await runs.metricHistory(runId, metric, { limit: MOST_STEPS })).metrics;
  } catch (error) {
    // Its run was deleted in the meantime.
    if (error instanceof RunNotFound) return [];
    throw error;
  }
};
