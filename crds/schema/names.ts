/** Labels, annotations and names that objects of ours and their children carry. */
const prefix = 'mlops.pynomaly.io';

export const LABELS = {
  /** On a trial's Job and pod: the Experiment's name. The API lets such a pod log that Experiment's runs. */
  experiment: `${prefix}/experiment`,
  /** On a trial's Job and pod: the number of the trial within its Experiment. */
  trial: `${prefix}/trial`,
  /** On a trial's Job and pod and on the ModelVersion made of it. */
  runId: `${prefix}/run-id`,
  /** On everything a Deployment of ours owns: its name. */
  deployment: `${prefix}/deployment`,
  /** On serving pods: `stable`, `candidate`, or the name of a candidate of an ABTest. */
  variant: `${prefix}/variant`,
  /** On ModelVersion, ModelAlias and serving pods: the Model's name. */
  model: `${prefix}/model`,
  /** On serving pods: the ModelVersion object's name. The API lets such a pod read that version's bytes. */
  modelVersion: `${prefix}/modelversion`,
  /** On the Job of a canary's metric and its pod: the Deployment. Its own pods have another label, which Services select. */
  checkOf: `${prefix}/check-of`,
  /** On the same: the metric, and the attempt to roll out. */
  checkedMetric: `${prefix}/metric`,
  attempt: `${prefix}/attempt`,
} as const;

export const ANNOTATIONS = {
  paused: `${prefix}/paused`,
  reconcileAt: `${prefix}/reconcile-at`,
  requestedBy: `${prefix}/requested-by`,
  promote: `${prefix}/promote`,
  abort: `${prefix}/abort`,
  retry: `${prefix}/retry`,
  pause: `${prefix}/pause`,
  /** Hash of what the operator last applied, so that an unchanged child is not written again. */
  applied: `${prefix}/applied`,
} as const;

/** Audience of the projected tokens that pods of ours authenticate with. */
export const TOKEN_AUDIENCE = prefix;

/** `app.kubernetes.io/managed-by` of every child. */
export const MANAGED_BY = 'mlops-operator';
