import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { Dimension } from '../../plots/scale.ts';
import type { PlottedTrial } from '../../plots/search-sample.ts';
import type { Curve } from '../../plots/intermediate-values.ts';
import type { Trial } from './trial-store.ts';

/** The axes of a search's parameters, in the order of its spec. */
export const dimensionsOf = ({ spec }: Experiment): readonly Dimension[] =>
  (spec.parameters ?? []).map(({ name, parameterType, feasibleSpace }) =>
    parameterType === 'categorical'
      ? { name, kind: 'choice', choices: feasibleSpace.list ?? [] }
      : { name, kind: feasibleSpace.distribution?.startsWith('log') === true ? 'log' : 'linear' },
  );

/** What plots need of a trial; undefined where it did not finish well. */
export const plottedTrial = (trial: Trial): PlottedTrial | undefined =>
  trial.phase === 'complete'
    ? {
        number: trial.number,
        values: trial.values,
        parameters: Object.fromEntries(trial.assignments.map(({ name, value }) => [name, value])),
      }
    : undefined;

export const curveState = ({ phase }: Pick<Trial, 'phase'>): Curve['state'] =>
  phase === 'complete' || phase === 'pruned' ? phase : 'other';
