import type { Experiment } from '../../../crds/schema/experiment.ts';
import { Problem } from '../../api/problem.ts';
import type { Dimension } from '../../plots/scale.ts';
import { isSearch, objectivesOf, type Objective } from './study.ts';

/** The names that a plot's address chooses; each has a default. */
export type PlotQuery = {
  readonly objective?: string;
  readonly parameter?: string;
  readonly x?: string;
  readonly y?: string;
};

/** The objectives of a search. Throws Problem InvalidRequest where there is no search to draw. */
export const objectivesToPlot = (experiment: Experiment): readonly Objective[] => {
  const objectives = objectivesOf(experiment);
  if (isSearch(experiment) && objectives.length > 0) return objectives;
  throw new Problem(
    'InvalidRequest',
    `Experiment "${experiment.metadata.name}" is one training and no search (spec.parameters is empty): there are no trials to draw.`,
  );
};

/** Place of the objective that `name` names, the first by default. Throws Problem InvalidRequest. */
export const chosenObjective = (
  objectives: readonly Objective[],
  query: string,
  { name, otherwise = 0 }: { readonly name: string | undefined; readonly otherwise?: number },
): number => chosen(objectives, { query, what: 'objective', name, otherwise });

/** The parameter that `name` names, by default the one at `otherwise`. Throws Problem InvalidRequest. */
export const chosenParameter = (
  parameters: readonly Dimension[],
  query: string,
  { name, otherwise = 0 }: { readonly name: string | undefined; readonly otherwise?: number },
): Dimension => {
  const found = parameters[chosen(parameters, { query, what: 'parameter', name, otherwise })];
  if (found !== undefined) return found;
  throw new Problem('InvalidRequest', `This plot needs a parameter for ?${query}=.`);
};

const chosen = (
  all: readonly { readonly name: string }[],
  choice: {
    readonly query: string;
    readonly what: string;
    readonly name: string | undefined;
    readonly otherwise: number;
  },
): number => {
  const { query, what, name, otherwise } = choice;
  const names = all.map((each) => each.name).join(', ');
  if (name === undefined) {
    if (otherwise < all.length) return otherwise;
    throw new Problem(
      'InvalidRequest',
      `This plot needs ${otherwise + 1} ${what}s, and the search has ${all.length}: ${names}.`,
    );
  }
  const index = all.findIndex((each) => each.name === name);
  if (index !== -1) return index;
  throw new Problem(
    'InvalidRequest',
    `?${query}=${name} names no ${what} of this search; it has ${names}.`,
  );
};
