import type { Experiment } from '../../../crds/schema/experiment.ts';
import { ANNOTATIONS, LABELS, TOKEN_AUDIENCE } from '../../../crds/schema/names.ts';
import type { Container, EnvironmentVariable, Job, PodSpec } from '../kubernetes-objects.ts';
import type { ChildDefaults } from '../ports.ts';
import { withoutReserved } from '../reserved-labels.ts';
import { restrictedPod } from '../restricted-pod.ts';
import { indexedSpec, nodeEnvironment, nodePodSpec } from './nodes.ts';
import { queueLabels } from './queue-labels.ts';
import type { Assignment } from './search-engine.ts';
import type { JobSpec } from './template.ts';

/** Where the unmodified MLflow client looks for its token and namespace. */
const TOKEN_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_VOLUME = 'mlops-token';
const TOKEN_SECONDS = 3600;

export type Trial = {
  /** final: the training after a search. */
  readonly number: number | 'final';
  readonly runId: string;
  /** 0 for the first Job of the trial, 1 for its first retry. */
  readonly attempt?: number;
  /** What its row is made again from, should that be lost. */
  readonly assignments?: readonly Assignment[];
};

/** The Job of a trial: the same trial and attempt, the same name, so that none is started twice. */
export const trialName = (experiment: Experiment, number: number | 'final', attempt = 0): string =>
  `${experiment.metadata.name}-${number}${attempt === 0 ? '' : `-r${attempt}`}`;

/**
 * The Job of one trial: the user's template, tracked. Its primary container gets the run to log to
 * and a token for our API alone; no other container can speak for the run. With spec.trainer.numNodes
 * it is an Indexed Job, a pod for each node.
 */
export const trialJob = (
  experiment: Experiment,
  trial: Trial,
  spec: JobSpec,
  defaults: ChildDefaults,
): Job => {
  const { metadata, spec: wanted } = experiment;
  const ours = {
    [LABELS.experiment]: metadata.name,
    [LABELS.trial]: String(trial.number),
    [LABELS.runId]: trial.runId,
  };
  const own = wanted.trialTemplate.trialSpec.metadata;
  const { attempt = 0, assignments } = trial;
  const annotations = {
    ...own?.annotations,
    ...(assignments === undefined ? {} : { [ANNOTATIONS.parameters]: JSON.stringify(assignments) }),
  };
  const primary =
    wanted.trialTemplate.primaryContainerName ?? spec.template.spec.containers[0]?.name;
  const { ttlSecondsAfterFinished: _theirs, ...rest } = spec;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: trialName(experiment, trial.number, attempt),
      namespace: metadata.namespace,
      labels: {
        ...queueLabels(metadata.labels),
        ...withoutReserved(own?.labels),
        ...ours,
        ...(assignments === undefined ? {} : { [LABELS.attempt]: String(attempt) }),
      },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: {
      backoffLimit: 0,
      ...rest,
      ...indexedSpec(experiment),
      template: {
        metadata: {
          ...spec.template.metadata,
          labels: { ...withoutReserved(spec.template.metadata?.labels), ...ours },
        },
        spec: restrictedPod(
          trackedPod(
            { ...spec.template.spec, ...nodePodSpec(experiment) },
            primary,
            environmentOf(experiment, trial, defaults),
          ),
          defaults,
        ),
      },
    },
  };
};

const trackedPod = (
  spec: PodSpec,
  primary: string | undefined,
  environment: readonly EnvironmentVariable[],
): PodSpec => ({
  restartPolicy: 'Never',
  ...spec,
  automountServiceAccountToken: false,
  containers: spec.containers.map((container) =>
    container.name === primary
      ? trackedContainer(container, environment)
      : withLastWords(container),
  ),
  volumes: [
    ...(spec.volumes ?? []),
    {
      name: TOKEN_VOLUME,
      projected: {
        sources: [
          {
            serviceAccountToken: {
              audience: TOKEN_AUDIENCE,
              expirationSeconds: TOKEN_SECONDS,
              path: 'token',
            },
          },
          {
            downwardAPI: {
              items: [
                {
                  path: 'namespace',
                  fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' },
                },
              ],
            },
          },
        ],
      },
    },
  ],
});

const trackedContainer = (
  container: Container,
  environment: readonly EnvironmentVariable[],
): Container => {
  const theirs = container.env ?? [];
  const missing = environment.filter(({ name }) => !theirs.some((each) => each.name === name));
  return withLastWords({
    ...container,
    env: [...theirs, ...missing],
    volumeMounts: [
      ...(container.volumeMounts ?? []),
      { name: TOKEN_VOLUME, mountPath: TOKEN_DIRECTORY, readOnly: true },
    ],
  });
};

/** The end of the log becomes part of the pod's status, where a failure is explained from. */
const withLastWords = (container: Container): Container => ({
  terminationMessagePolicy: 'FallbackToLogsOnError',
  ...container,
});

/** What the MLflow client reads; it refuses an experiment's name beside the id of another's run. */
const environmentOf = (
  experiment: Experiment,
  { runId, number, attempt }: Trial,
  { apiUrl }: ChildDefaults,
): readonly EnvironmentVariable[] => [
  { name: 'MLFLOW_TRACKING_URI', value: apiUrl },
  { name: 'MLFLOW_TRACKING_AUTH', value: 'kubernetes' },
  { name: 'MLFLOW_EXPERIMENT_ID', value: experiment.metadata.uid },
  { name: 'MLFLOW_RUN_ID', value: runId },
  // Its links lead to a page of MLflow's own that is not served here.
  { name: 'MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT', value: 'true' },
  { name: 'MLFLOW_DISABLE_TELEMETRY', value: 'true' },
  ...nodeEnvironment(experiment, trialName(experiment, number, attempt)),
];
