/** Times are milliseconds since 1970, as the MLflow protocol has them. */
export type Metric = {
  readonly key: string;
  /** May be NaN or infinite. */
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
};

export type RunStatus = 'SCHEDULED' | 'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED';

export type ExperimentIdentity = {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
};

export type Run = {
  /** 32 hex digits. */
  readonly runId: string;
  readonly experiment: ExperimentIdentity;
  /** Set for trials that the operator started; absent for runs a client opened by itself. */
  readonly trialNumber?: number;
  readonly name: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly startTime?: number;
  readonly endTime?: number;
  readonly lifecycleStage: 'active' | 'deleted';
  /** What its primary container ran, with its digest; known once its pod was seen. */
  readonly image?: string;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** The latest of each key: largest step, then timestamp, then value (a number beats NaN). */
  readonly metrics: readonly Metric[];
};

export type NewTrial = {
  readonly experiment: ExperimentIdentity;
  /** final: the training after a search, which is no trial. */
  readonly number: number | 'final';
  readonly parameters: Readonly<Record<string, string>>;
  readonly name: string;
};

export type NewRun = {
  readonly runId: string;
  readonly experiment: ExperimentIdentity;
  readonly name: string;
  readonly userId: string;
  readonly startTime: number;
  readonly tags?: Readonly<Record<string, string>>;
};

export type RunChange = {
  readonly status?: RunStatus;
  readonly startTime?: number;
  readonly endTime?: number;
  readonly name?: string;
};

export type RunBatch = {
  readonly metrics?: readonly Metric[];
  readonly params?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
};

export type RunPage = { readonly runs: readonly Run[]; readonly nextCursor?: string };
export type MetricPage = { readonly metrics: readonly Metric[]; readonly nextCursor?: string };

export type RunListing = {
  readonly experimentUids: readonly string[];
  /** Default: active runs only. */
  readonly view?: 'active' | 'deleted' | 'all';
  /** 1 to 1000, default 100. */
  readonly limit?: number;
  readonly cursor?: string;
};

/**
 * Trials and runs with their parameters, tags and metrics. Adapters: `store.ts` (PostgreSQL) and
 * `memory-run-store.ts`, held to one contract suite.
 *
 * Everything that names a run throws `RunNotFound` (`getRun` answers undefined); wrong input throws
 * `InvalidRunInput`; a database that does not answer throws what its room throws.
 */
export type RunStore = {
  /**
   * The run of this trial, created unless it exists: same experiment and number, same run. Throws
   * `ExperimentClosed`.
   */
  createTrial(trial: NewTrial): Promise<Run>;
  /** RUNNING since `at`; a run that has started or ended already stays as it is. */
  startRun(runId: string, at: number): Promise<void>;
  /** Ended at `at`; a run that has ended already stays as it is. */
  finishRun(runId: string, status: 'FINISHED' | 'FAILED' | 'KILLED', at: number): Promise<void>;
  /** The image its code came in; the last one counts. */
  setImage(runId: string, image: string): Promise<void>;
  /** RUNNING from the start. Throws `InvalidRunInput` when the id is taken, `ExperimentClosed`. */
  createRun(run: NewRun): Promise<Run>;
  getRun(runId: string): Promise<Run | undefined>;
  updateRun(runId: string, change: RunChange): Promise<Run>;
  /** Marks as deleted; restoreRun takes it back. */
  deleteRun(runId: string): Promise<void>;
  restoreRun(runId: string): Promise<void>;
  /** All of it or none. Repeating a batch changes nothing. Throws `ParamConflict`. */
  logBatch(runId: string, batch: RunBatch): Promise<void>;
  deleteTag(runId: string, key: string): Promise<void>;
  /** In order of step, then timestamp. `limit` 1 to 25000, default 1000. */
  metricHistory(
    runId: string,
    key: string,
    page?: { readonly limit?: number; readonly cursor?: string },
  ): Promise<MetricPage>;
  /** Newest start first. */
  listRuns(listing: RunListing): Promise<RunPage>;
  /**
   * From now on nobody gets a run of this experiment, for good: neither a process that has not noticed
   * yet that it leads no more, nor one whose cache still shows an experiment that is being deleted.
   */
  closeExperiment(experimentUid: string): Promise<void>;
  /** Removes every run of this experiment for good; returns how many. */
  deleteExperimentRuns(experimentUid: string): Promise<number>;
};

export class RunNotFound extends Error {
  override readonly name = 'RunNotFound';
  readonly code = 'RunNotFound';
  constructor(runId: string) {
    super(`Run with id=${runId} not found`);
  }
}

export class ExperimentClosed extends Error {
  override readonly name = 'ExperimentClosed';
  readonly code = 'ExperimentClosed';
  constructor({ namespace, name }: ExperimentIdentity) {
    super(`Experiment ${namespace}/${name} is being deleted and takes no more runs.`);
  }
}

export class InvalidRunInput extends Error {
  override readonly name: string = 'InvalidRunInput';
  readonly code: 'InvalidRunInput' | 'ParamConflict' = 'InvalidRunInput';
}

/** A parameter is written once; the message is the one MLflow clients know. */
export class ParamConflict extends InvalidRunInput {
  override readonly name = 'ParamConflict';
  override readonly code = 'ParamConflict';
  constructor(param: { readonly runId: string; readonly key: string }, old: string, now: string) {
    super(
      `Changing param values is not allowed. Param with key='${param.key}' was already logged ` +
        `with value='${old}' for run ID='${param.runId}'. Attempted logging new value '${now}'.`,
    );
  }
}
