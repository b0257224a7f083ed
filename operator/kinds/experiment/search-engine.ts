/** One parameter that is searched over; numbers are texts, as in the spec. */
export type SearchParameter = {
  readonly name: string;
  readonly type: 'double' | 'int' | 'discrete' | 'categorical';
  readonly min?: string;
  readonly max?: string;
  readonly step?: string;
  readonly list?: readonly string[];
  readonly distribution?: 'uniform' | 'logUniform' | 'normal' | 'logNormal';
  /** Drawn only where the other parameter, which stands earlier in the list, has one of these values. */
  readonly when?: { readonly parameter: string; readonly in: readonly string[] };
};

export type Settings = Readonly<Record<string, string>>;

/** What is searched, and how; every call carries it, so an engine that lost everything goes on. */
export type Study = {
  /** `<namespace>/<name>/<uid>` of the Experiment. */
  readonly name: string;
  /** One for each objective. */
  readonly directions: readonly ('minimize' | 'maximize')[];
  /** Canonical names: random grid tpe gp cmaes nsgaii qmc. */
  readonly algorithm: { readonly name: string; readonly settings: Settings };
  /** Canonical names: median percentile asha hyperband patient wilcoxon. */
  readonly earlyStopping?: { readonly name: string; readonly settings: Settings };
  readonly parameters: readonly SearchParameter[];
  /** From the setting seed (Katib: random_state). */
  readonly seed?: number;
};

export type Assignment = { readonly name: string; readonly value: string };

export type Drawn =
  | { readonly state: 'drawn'; readonly assignments: readonly Assignment[] }
  | { readonly state: 'exhausted' }
  | {
      readonly state: 'refused';
      readonly reason: 'AlgorithmNotInstalled' | 'InvalidSearchSpace' | 'InvalidAlgorithmSetting';
      readonly message: string;
    };

export type Told =
  | { readonly state: 'complete'; readonly values: readonly number[] }
  | { readonly state: 'pruned' }
  | { readonly state: 'failed' };

export type StepValue = { readonly step: number; readonly value: number };

/**
 * Draws parameters. A throw means that the engine did not answer: nothing was decided. All but
 * `forget` and `studyNames` throw `StudyChanged` where the study was begun with another definition.
 */
export type SearchEngine = {
  /**
   * Draws trial `number`, or gives again what was drawn for it: idempotent by number, also after a
   * kill between the steps. Numbers are asked for in order 0, 1, 2…; a gap throws `StudyBehind`.
   * Each draw is seeded from (seed, number). With `given`, the trial gets these instead: so a study
   * that was lost is made again from the rows of its trials.
   */
  ask(study: Study, number: number, given?: readonly Assignment[]): Promise<Drawn>;
  /** Values in order of step; steps reported before are ignored. Answers whether the trial is to stop. */
  report(
    study: Study,
    number: number,
    values: readonly StepValue[],
  ): Promise<{ readonly prune: boolean }>;
  /** Telling the same outcome again is fine, another one throws `EngineConflict`. */
  tell(study: Study, number: number, outcome: Told): Promise<void>;
  /** Deletes a study with its trials, by name; fine when there is none. */
  forget(name: string): Promise<void>;
  /** Names of all studies that were begun by `ask`; a user's own may be among them. */
  studyNames(): Promise<readonly string[]>;
};

/** How much each parameter matters, the most first; empty where too few trials are complete. */
export type Importances = {
  /** What judged it. */
  readonly evaluator: string;
  /** From 0 to 1, 1 in all. */
  readonly importances: readonly { readonly parameter: string; readonly importance: number }[];
};

/** What can say which parameters matter for the objective with this place. */
export type ImportanceSource = {
  /** Throws `StudyBehind` where there is no such study, `NoSearchEngine` without an engine. */
  importances(study: string, objective: number): Promise<Importances>;
};

/** The engine knows the trials below `next` only, as after a loss of its database. */
export class StudyBehind extends Error {
  override readonly name = 'StudyBehind';
  readonly code = 'StudyBehind';
  readonly next: number;
  constructor(study: string, next: number) {
    super(`Study ${study} has no trial ${next} yet.`);
    this.next = next;
  }
}

/** The trial was told another outcome before. */
export class EngineConflict extends Error {
  override readonly name = 'EngineConflict';
  readonly code = 'EngineConflict';
}

/** The study was begun with another definition, such as one that an older operator wrote. */
export class StudyChanged extends Error {
  override readonly name = 'StudyChanged';
  readonly code = 'StudyChanged';
}

/** There is no engine in this installation. */
export class NoSearchEngine extends Error {
  override readonly name = 'NoSearchEngine';
  readonly code = 'NoSearchEngine';
  constructor() {
    super(
      'This installation has no search engine: set hpo.enabled in the chart (MLOPS_HPO_URL of the operator), or leave spec.parameters out to run one tracked training Job.',
    );
  }
}

/** What stands in for the engine where none is installed. */
export const noSearchEngine = (): SearchEngine & ImportanceSource => ({
  ask: async () => Promise.reject(new NoSearchEngine()),
  report: async () => Promise.reject(new NoSearchEngine()),
  tell: async () => Promise.reject(new NoSearchEngine()),
  forget: async () => undefined,
  importances: async () => Promise.reject(new NoSearchEngine()),
  studyNames: async () => [],
});
