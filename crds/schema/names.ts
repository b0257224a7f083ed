/** Labels, annotations and names that objects of ours and their children carry. */
const prefix = 'mlops.pynomaly.io';

export const LABELS = {
  /** On a trial's Job and pod: the Experiment's name. The API lets such a pod log that Experiment's runs. */
  experiment: `${prefix}/experiment`,
  /** On a trial's Job and pod: the number of the trial within its Experiment, or final. */
  trial: `${prefix}/trial`,
  /** On a trial's Job and pod and on the ModelVersion made of it. */
  runId: `${prefix}/run-id`,
  /** On a trial's Job: 0, or how often the trial was started again. On a metric's Job and its pod: the attempt to roll out. */
  attempt: `${prefix}/attempt`,
  /** On everything a Deployment of ours owns: its name. */
  deployment: `${prefix}/deployment`,
  /** On serving pods: `stable`, `candidate`, or the name of a candidate of an ABTest. */
  variant: `${prefix}/variant`,
  /** On ModelVersion, ModelAlias and serving pods: the Model's name. */
  model: `${prefix}/model`,
  /** On serving pods: the ModelVersion object's name. The API lets such a pod read that version's bytes. */
  modelVersion: `${prefix}/modelversion`,
  /** On what an MLflow client named in its own way: a hash of that name, to find it by. */
  mlflowName: `${prefix}/mlflow-name`,
  /** On ModelVersions: the integer that MLflow clients know the version by. */
  mlflowVersion: `${prefix}/mlflow-version`,
  /** On the Job of a canary's metric and its pod: the Deployment. Its own pods have another label, which Services select. */
  checkOf: `${prefix}/check-of`,
  /** On the same: the metric. */
  checkedMetric: `${prefix}/metric`,
} as const;

export const ANNOTATIONS = {
  paused: `${prefix}/paused`,
  reconcileAt: `${prefix}/reconcile-at`,
  requestedBy: `${prefix}/requested-by`,
  promote: `${prefix}/promote`,
  abort: `${prefix}/abort`,
  retry: `${prefix}/retry`,
  pause: `${prefix}/pause`,
  /** On a Deployment: the version that a person lets through the approval of its promotion. */
  approve: `${prefix}/approve`,
  /** On a ModelAlias: the version that a promotion moved it to last. */
  promoted: `${prefix}/promoted`,
  /** On a trial's Job: the parameters it was given, a JSON list of name and value; its row is made again from it. */
  parameters: `${prefix}/parameters`,
  /** Hash of what the operator last applied, so that an unchanged child is not written again. */
  applied: `${prefix}/applied`,
  /** The name an MLflow client gave, where it cannot be the object's. */
  mlflowName: `${prefix}/mlflow-name`,
  /** On Models: the last integer that was given to one of its versions. */
  mlflowLastVersion: `${prefix}/mlflow-last-version`,
  /** On ModelVersions: the URI a client registered them from. */
  mlflowSource: `${prefix}/mlflow-source`,
  /** On ModelVersions: what a client wrote about them. */
  mlflowDescription: `${prefix}/mlflow-description`,
  /** On ModelVersions: `Archived`. On ModelAliases: the stage that the alias stands for. */
  mlflowStage: `${prefix}/mlflow-stage`,
  /** On Experiments: tags that a client set, as JSON. */
  mlflowTags: `${prefix}/mlflow-tags`,
  /** On Experiments: when a client deleted them, in ms since 1970; restoring takes it away. */
  mlflowDeleted: `${prefix}/mlflow-deleted`,
} as const;

/** Audience of the projected tokens that pods of ours authenticate with. */
export const TOKEN_AUDIENCE = prefix;

/** `app.kubernetes.io/managed-by` of every child. */
export const MANAGED_BY = 'mlops-operator';
