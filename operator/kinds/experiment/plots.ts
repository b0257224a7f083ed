import type { Experiment } from '../../../crds/schema/experiment.ts';
import { contour } from '../../plots/contour.ts';
import { EvenSample } from '../../plots/even-sample.ts';
import { intermediateValues, MOST_CURVES, type Curve } from '../../plots/intermediate-values.ts';
import { optimizationHistory } from '../../plots/optimization-history.ts';
import { parallelCoordinates } from '../../plots/parallel-coordinates.ts';
import { paretoFront } from '../../plots/pareto-front.ts';
import { MOST_SHOWN, SearchSample, type PlottedSearch } from '../../plots/search-sample.ts';
import { slice } from '../../plots/slice.ts';
import {
  chosenObjective,
  chosenParameter,
  objectivesToPlot,
  type PlotQuery,
} from './plot-choice.ts';
import { curveState, dimensionsOf, plottedTrial } from './plotted-search.ts';
import { RunNotFound, type RunStore } from './run-store.ts';
import { TRIAL_PAGE, type Trial, type TrialStore } from './trial-store.ts';

/** The plots there are, by Optuna's names. */
export const PLOT_KINDS = [
  'optimization-history',
  'slice',
  'parallel-coordinates',
  'contour',
  'intermediate-values',
  'pareto-front',
] as const;

export type PlotKind = (typeof PLOT_KINDS)[number];

export type PlotSources = {
  readonly trials: Pick<TrialStore, 'list' | 'front'>;
  readonly runs: Pick<RunStore, 'metricHistory'>;
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
  const parameters = dimensionsOf(experiment);
  const objective = chosenObjective(objectives, 'objective', { name: query.objective });
  const read = (): Promise<PlottedSearch> =>
    readSearch(sources.trials, experiment.metadata.uid ?? '', {
      name: experiment.metadata.name,
      ...{ objectives, objective, parameters },
    });
  switch (kind) {
    case 'optimization-history':
      return optimizationHistory(await read());
    case 'slice': {
      const name = query.parameter;
      const parameter = chosenParameter(parameters, 'parameter', { name });
      return slice(await read(), parameter);
    }
    case 'parallel-coordinates':
      return parallelCoordinates(await read());
    case 'contour': {
      const x = chosenParameter(parameters, 'x', { name: query.x });
      const y = chosenParameter(parameters, 'y', {
        name: query.y,
        // The first one that is not taken.
        otherwise: x === parameters[0] ? 1 : 0,
      });
      return contour(await read(), x, y);
    }
    case 'pareto-front': {
      const x = chosenObjective(objectives, 'x', { name: query.x });
      const y = chosenObjective(objectives, 'y', { name: query.y, otherwise: x === 0 ? 1 : 0 });
      const front = await sources.trials.front(experiment.metadata.uid ?? '', MOST_SHOWN);
      const trials = front.trials.map(plottedTrial).filter((each) => each !== undefined);
      return paretoFront(await read(), { x, y, trials, total: front.total });
    }
    case 'intermediate-values':
      return reportedValues(experiment, objectives[objective]?.name ?? '', sources);
  }
};

const readSearch = async (
  trials: PlotSources['trials'],
  uid: string,
  search: ConstructorParameters<typeof SearchSample>[0],
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
