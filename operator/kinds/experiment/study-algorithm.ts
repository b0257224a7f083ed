import type { Reason } from '../../../crds/schema/conditions.ts';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { SearchParameter, Settings } from './search-engine.ts';

export type Fault = { readonly reason: Reason; readonly message: string };
type Named = { readonly name: string; readonly settings: Settings };

/** How parameters are chosen, in the words of the engine. */
export type Chosen = {
  readonly algorithm: Named;
  readonly stopping?: Named;
  /** The parameters, where the algorithm gives one of them its value. */
  readonly parameters?: readonly SearchParameter[];
};

export const SEEDS = ['seed', 'random_state'];

export const settingsOf = (
  settings: readonly { readonly name: string; readonly value: string }[] | undefined,
): Settings => Object.fromEntries((settings ?? []).map(({ name, value }) => [name, value]));

export const without = (settings: Settings, names: readonly string[]): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => !names.includes(name)));

const renamed = (settings: Settings, names: Readonly<Record<string, string>>): Settings =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [names[name] ?? name, value]));

const refused = (message: string): { readonly fault: Fault } => ({
  fault: { reason: 'InvalidAlgorithmSetting', message },
});

/**
 * The algorithm by what it is called here, Katib's names and settings translated; or why a setting
 * cannot have its meaning. https://www.kubeflow.org/docs/components/katib/user-guides/hp-tuning/configure-algorithm/
 */
export const algorithmOf = (
  name: string,
  settings: Settings,
  parameters: readonly SearchParameter[],
): Chosen | { readonly fault: Fault } => {
  switch (name) {
    case 'bayesianoptimization':
      return bayesian(settings);
    case 'multivariate-tpe':
      return { algorithm: { name: 'tpe', settings: { multivariate: 'true', ...settings } } };
    case 'sobol':
      return { algorithm: { name: 'qmc', settings } };
    case 'hyperband':
      return hyperband(settings, parameters);
    case 'cmaes':
      return cmaes(settings);
    default:
      return { algorithm: { name, settings } };
  }
};

/**
 * Settings of scikit-optimize, with which Katib draws, and what of them Optuna's GP does as well:
 * its surrogate is a Gaussian process, and it climbs (L-BFGS) the expected improvement. Katib's own
 * default (gp_hedge) asks for nothing in particular.
 */
const SKOPT: Readonly<Record<string, readonly string[]>> = {
  base_estimator: ['GP'],
  acq_func: ['gp_hedge', 'EI'],
  acq_optimizer: ['auto', 'lbfgs'],
};

const bayesian = (settings: Settings): Chosen | { readonly fault: Fault } => {
  for (const [name, known] of Object.entries(SKOPT)) {
    const value = settings[name];
    if (value !== undefined && !known.includes(value))
      return refused(
        `The setting ${name} of spec.algorithm is "${value}"; Optuna's Gaussian process has only ${known.join(', ')}: remove the setting, or take the algorithm tpe.`,
      );
  }
  return {
    algorithm: {
      name: 'gp',
      settings: renamed(without(settings, Object.keys(SKOPT)), {
        n_initial_points: 'n_startup_trials',
      }),
    },
  };
};

/** Optuna took restarts out of its CMA-ES in 4.4. */
const cmaes = (settings: Settings): Chosen | { readonly fault: Fault } => {
  const restarts = settings['restart_strategy'] ?? 'none';
  return restarts === 'none'
    ? { algorithm: { name: 'cmaes', settings: without(settings, ['restart_strategy']) } }
    : refused(
        `The setting restart_strategy of spec.algorithm is "${restarts}"; Optuna's CMA-ES restarts no more: remove the setting (a larger popsize searches as widely), or take the algorithm tpe.`,
      );
};

/**
 * Katib starts trials with less of the resource and repeats the good ones with more. Here each trial
 * gets all of it (r_l), as Katib gives at most, and is stopped at the rungs where it falls behind.
 */
const hyperband = (
  { resource_name: resource, ...settings }: Settings,
  parameters: readonly SearchParameter[],
): Chosen | { readonly fault: Fault } => {
  const chosen: Chosen = {
    algorithm: { name: 'random', settings: {} },
    stopping: {
      name: 'hyperband',
      settings: renamed(settings, { r_l: 'max_resource', eta: 'reduction_factor' }),
    },
  };
  if (resource === undefined) return chosen;
  const most = settings['r_l'];
  if (most === undefined || !/^[1-9]\d{0,8}$/.test(most))
    return refused(
      `The setting r_l of spec.algorithm is ${most === undefined ? 'missing' : `"${most}"`}; it must be a whole number from 1: how much of ${resource} a trial gets at most.`,
    );
  const found = parameters.find(({ name }) => name === resource);
  if (found?.type !== 'int' && found?.type !== 'double')
    return refused(
      `The setting resource_name of spec.algorithm is "${resource}", which is no int or double of spec.parameters; correct it, or remove it where trials always train to the end.`,
    );
  const whole: SearchParameter = { name: found.name, type: found.type, min: most, max: most };
  const given = found.when === undefined ? whole : { ...whole, when: found.when };
  return { ...chosen, parameters: parameters.map((each) => (each === found ? given : each)) };
};

/** What Katib's medianstop does where a setting is left out; Optuna's median would wait for others. */
const MEDIANSTOP = { min_trials_required: '3', start_step: '4' };

/** When trials are stopped, by what it is called here. */
export const stoppingOf = (stopping: Experiment['spec']['earlyStopping']): Named | undefined => {
  if (stopping === undefined) return undefined;
  const settings = settingsOf(stopping.algorithmSettings);
  return stopping.algorithmName === 'medianstop'
    ? {
        name: 'median',
        // Katib counts steps from 1, Optuna waits for as many as it warms up.
        settings: renamed(
          { ...MEDIANSTOP, ...settings },
          { min_trials_required: 'n_startup_trials', start_step: 'n_warmup_steps' },
        ),
      }
    : { name: stopping.algorithmName, settings };
};
