import type { Experiment } from '../../../crds/schema/experiment.ts';
import {
  algorithmOf,
  SEEDS,
  settingsOf,
  stoppingOf,
  without,
  type Chosen,
  type Fault,
} from './study-algorithm.ts';
import type { SearchParameter, Settings, Study } from './search-engine.ts';
import type { Direction } from './trial-store.ts';

type Parameter = NonNullable<Experiment['spec']['parameters']>[number];

/** Whether the Experiment searches over parameters, rather than training once. */
export const isSearch = ({ spec }: Experiment): boolean => (spec.parameters ?? []).length > 0;

/** A metric that trials are compared by. */
export type Objective = { readonly name: string; readonly direction: Direction };

/** The objective of the Experiment first, then the additional ones. */
export const objectivesOf = ({ spec: { objective } }: Experiment): readonly Objective[] =>
  objective === undefined
    ? []
    : [
        { name: objective.objectiveMetricName, direction: objective.type },
        ...(objective.additionalObjectives ?? []).map(({ name, type }) => ({
          name,
          direction: type,
        })),
      ];

export const studyName = ({ metadata: { namespace, name, uid } }: Experiment): string =>
  `${namespace}/${name}/${uid}`;

/** What the engine is asked with: Katib's names are translated; or what is wrong with the spec. */
export const studyOf = (experiment: Experiment): Study | { readonly fault: Fault } => {
  const { spec } = experiment;
  const parameters = (spec.parameters ?? []).map(searchParameter);
  const given = settingsOf(spec.algorithm?.algorithmSettings);
  const seed = seedOf(given);
  const fault = faultOfSpace(spec.parameters ?? []) ?? faultOfSeed(seed);
  if (fault !== undefined) return { fault };
  const chosen = chosenBy(spec, without(given, SEEDS), parameters);
  if ('fault' in chosen) return chosen;
  const { algorithm, stopping } = chosen;
  return {
    name: studyName(experiment),
    directions: objectivesOf(experiment).map(({ direction }) => direction),
    algorithm,
    ...(stopping === undefined ? {} : { earlyStopping: stopping }),
    parameters: chosen.parameters ?? parameters,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
};

const seedOf = (settings: Settings): string | undefined =>
  settings['seed'] ?? settings['random_state'];

const chosenBy = (
  spec: Experiment['spec'],
  settings: Settings,
  parameters: readonly SearchParameter[],
): Chosen | { readonly fault: Fault } => {
  const chosen = algorithmOf(spec.algorithm?.algorithmName ?? 'tpe', settings, parameters);
  if ('fault' in chosen) return chosen;
  const stopping = stoppingOf(spec.earlyStopping);
  if (chosen.stopping === undefined)
    return stopping === undefined ? chosen : { ...chosen, stopping };
  const fault = faultOfMix(spec);
  return fault === undefined ? chosen : { fault };
};

/** Two things that each work alone and not together; the CRD lets a hyperband's through. */
const faultOfMix = ({ objective, earlyStopping }: Experiment['spec']): Fault | undefined => {
  const say = (message: string): Fault => ({ reason: 'InvalidAlgorithmSetting', message });
  if (earlyStopping !== undefined)
    return say(
      'spec.algorithm is hyperband, which stops trials by itself; remove spec.earlyStopping, or take the algorithm random.',
    );
  return (objective?.additionalObjectives ?? []).length > 0
    ? say(
        'spec.algorithm is hyperband, which compares trials by one objective; remove spec.objective.additionalObjectives, or take nsgaii.',
      )
    : undefined;
};

const searchParameter = ({
  name,
  parameterType,
  feasibleSpace,
  when,
}: Parameter): SearchParameter => ({
  name,
  type: parameterType,
  ...(feasibleSpace.min === undefined ? {} : { min: feasibleSpace.min }),
  ...(feasibleSpace.max === undefined ? {} : { max: feasibleSpace.max }),
  ...(feasibleSpace.step === undefined ? {} : { step: feasibleSpace.step }),
  ...(feasibleSpace.list === undefined ? {} : { list: feasibleSpace.list }),
  ...(feasibleSpace.distribution === undefined ? {} : { distribution: feasibleSpace.distribution }),
  ...(when === undefined ? {} : { when: { parameter: when.parameter, in: when.in } }),
});

const faultOfSeed = (seed: string | undefined): Fault | undefined =>
  seed === undefined || (/^\d{1,10}$/.test(seed) && Number(seed) <= 4_294_967_295)
    ? undefined
    : {
        reason: 'InvalidAlgorithmSetting',
        message: `The setting seed of spec.algorithm is "${seed}"; it must be a whole number from 0 to 4294967295.`,
      };

/** As many as the CRD lets in; a mirror or an older object may hold more. */
const MOST_PARAMETERS = 100;

const faultOfSpace = (parameters: readonly Parameter[]): Fault | undefined => {
  const say = (message: string): Fault => ({ reason: 'InvalidSearchSpace', message });
  if (parameters.length > MOST_PARAMETERS)
    return say(
      `spec.parameters has ${parameters.length}; at most ${MOST_PARAMETERS} can be searched.`,
    );
  for (const [index, parameter] of parameters.entries()) {
    const words =
      faultOfValues(parameter) ?? faultOfCondition(parameter, parameters.slice(0, index));
    if (words !== undefined) return say(`spec.parameters[${index}] (${parameter.name}) ${words}`);
  }
  return undefined;
};

const faultOfValues = ({ parameterType, feasibleSpace }: Parameter): string | undefined =>
  parameterType === 'categorical' || parameterType === 'discrete'
    ? faultOfList(feasibleSpace.list ?? [], parameterType)
    : (faultOfBounds(feasibleSpace) ?? faultOfSpread(feasibleSpace));

const faultOfList = (
  list: readonly string[],
  type: 'categorical' | 'discrete',
): string | undefined => {
  if (list.length === 0) return 'needs feasibleSpace.list with a value.';
  if (new Set(list).size < list.length) return 'has a value in feasibleSpace.list twice.';
  return type === 'discrete' && list.some((each) => !isNumber(each))
    ? 'has a value in feasibleSpace.list that is no finite number.'
    : undefined;
};

type Space = Parameter['feasibleSpace'];

const faultOfBounds = ({ min, max }: Space): string | undefined => {
  if (!isNumber(min) || !isNumber(max)) return 'needs finite numbers as feasibleSpace.min and max.';
  return Number(min) > Number(max)
    ? `has a min (${min}) greater than its max (${max}).`
    : undefined;
};

const faultOfSpread = ({ min, step, distribution }: Space): string | undefined => {
  if (step !== undefined && !(isNumber(step) && Number(step) > 0))
    return 'has a step that is no number greater than 0.';
  return distribution?.startsWith('log') === true && Number(min) <= 0
    ? `is ${distribution}, which needs a min greater than 0.`
    : undefined;
};

const isNumber = (text: string | undefined): text is string =>
  text !== undefined && text.trim() !== '' && Number.isFinite(Number(text));

/** Conditions look back only, so that none can go round in a circle. */
const faultOfCondition = (
  { when }: Parameter,
  earlier: readonly Parameter[],
): string | undefined => {
  if (when === undefined) return undefined;
  const other = earlier.find(({ name }) => name === when.parameter);
  if (other === undefined)
    return `depends on ${when.parameter} (when.parameter), which is no parameter that stands before it.`;
  const list = other.feasibleSpace.list;
  if (list === undefined)
    return `depends on ${when.parameter}, which is no discrete or categorical with a list.`;
  const foreign = when.in.find((value) => !list.includes(value));
  return foreign === undefined
    ? undefined
    : `depends on ${when.parameter} being "${foreign}" (when.in), which is not in its list.`;
};
