import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { recordedInputs } from './input-record.ts';
import type { Run } from './run-store.ts';
import type { Assignment } from './search-engine.ts';

type Source = NonNullable<ModelVersion['spec']['source']>;
export type Lineage = Pick<Source, 'parameters' | 'seed' | 'image' | 'datasets'>;

/** What `source` of a ModelVersion takes: crds/schema/model-version.ts. */
const MOST = { parameters: 100, name: 250, value: 4096, seed: 64 } as const;
const MOST_DATA = { datasets: 64, name: 500, digest: 128 } as const;
const SEEDS = ['seed', 'random_state'];

/**
 * What is needed to train it again: code, data, parameters and seed, as far as they are known.
 * @param assignments what its trial was drawn with; of a single training, which has none, the
 *   parameters count that it logged itself.
 */
export const lineageOf = (
  { spec }: Experiment,
  run: Pick<Run, 'params' | 'tags' | 'image'>,
  assignments: readonly Assignment[] | undefined,
): Lineage => {
  const parameters = assignments ?? loggedParameters(run);
  const seed = seedIn((assignments ? spec.algorithm?.algorithmSettings : parameters) ?? []);
  const datasets = datasetsOf(run);
  return {
    ...(assignments !== undefined || parameters.length > 0 ? { parameters } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(run.image === undefined ? {} : { image: run.image }),
    ...(datasets.length === 0 ? {} : { datasets }),
  };
};

const seedIn = (settings: readonly Assignment[]): string | undefined => {
  const seed = settings.find(({ name }) => SEEDS.includes(name))?.value;
  return seed !== undefined && fits(seed, MOST.seed) ? seed : undefined;
};

const loggedParameters = ({ params }: Pick<Run, 'params'>): readonly Assignment[] =>
  Object.entries(params)
    .filter(([name, value]) => fits(name, MOST.name) && value.length <= MOST.value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MOST.parameters)
    .map(([name, value]) => ({ name, value }));

const fits = (text: string, most: number): boolean => text.length > 0 && text.length <= most;

/** Name and digest of each dataset the run logged with `mlflow.log_input`, each pair once. */
const datasetsOf = ({ tags }: Pick<Run, 'tags'>): readonly Dataset[] => {
  const all = recordedInputs(tags).map(datasetIn);
  const found = new Map<string, Dataset>();
  for (const each of all) {
    if (each === undefined) continue;
    if (!fits(each.name, MOST_DATA.name) || !fits(each.digest, MOST_DATA.digest)) continue;
    found.set(JSON.stringify([each.name, each.digest]), each);
  }
  return [...found.values()]
    .toSorted((a, b) => (`${a.name}\n${a.digest}` < `${b.name}\n${b.digest}` ? -1 : 1))
    .slice(0, MOST_DATA.datasets);
};

type Dataset = { readonly name: string; readonly digest: string };

/** undefined: it is a model, or was written by halves when its client or we were killed. */
const datasetIn = (text: string): Dataset | undefined => {
  try {
    const input = JSON.parse(text) as { dataset?: { dataset?: Partial<Dataset> } };
    const { name, digest } = input.dataset?.dataset ?? {};
    return typeof name === 'string' && typeof digest === 'string' ? { name, digest } : undefined;
  } catch {
    return undefined;
  }
};
