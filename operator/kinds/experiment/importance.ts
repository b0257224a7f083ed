import type { Experiment } from '../../../crds/schema/experiment.ts';
import { Problem } from '../../api/problem.ts';
import { StudyBehind, type Importances, type ImportanceSource } from './search-engine.ts';
import { studyName } from './study.ts';

/** How much each parameter matters for an objective, by its place. Throws Problem NotReady where the engine can't be asked. */
export const importancesOf = async (
  experiment: Experiment,
  objective: number,
  source: ImportanceSource,
): Promise<Importances> => {
  try {
    return await source.importances(studyName(experiment), objective);
  } catch (error) {
    // Nothing was asked for yet, or the engine lost it and will be told again.
    if (error instanceof StudyBehind) return { evaluator: 'search service', importances: [] };
    const words = error instanceof Error ? error.message : String(error);
    throw new Problem('NotReady', `The search engine did not say what matters: ${words}`, {
      cause: error,
    });
  }
};
