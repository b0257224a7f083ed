import type { Experiment } from '../../../crds/schema/experiment.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import type {
  EnvironmentVariable,
  Job,
  PodTemplate,
  StatusCondition,
} from '../kubernetes-objects.ts';
import { withoutReserved } from '../reserved-labels.ts';
import { restrictedPod, type PodDefaults } from '../restricted-pod.ts';
import { primaryOf, viewOfSpec, type ReplicatedJob } from './trial-view.ts';

/** What the controllers of JobSet and TrainJob call themselves in spec.managedBy. */
const OWN_CONTROLLERS: readonly unknown[] = [
  'jobset.sigs.k8s.io/jobset-controller',
  'trainer.kubeflow.org/trainjob-controller',
];

type Workload = KubernetesObject & {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: { readonly conditions?: readonly StatusCondition[] };
};

/**
 * A JobSet or TrainJob of the cluster as a Job. Both end with a condition: a JobSet with `Completed`,
 * a TrainJob with `Complete`, either with `Failed`.
 */
export const asJob = (experiment: Experiment, object: KubernetesObject): Job => {
  const { spec = {}, status, ...rest } = object as Workload;
  const viewed = viewOfSpec(experiment, spec);
  const { managedBy, ...more } = ('spec' in viewed ? viewed.spec : spec) as Job['spec'];
  const conditions = status?.conditions?.map((each) =>
    each.type === 'Completed' ? { ...each, type: 'Complete' } : each,
  );
  return {
    ...rest,
    spec: {
      ...more,
      // Somebody may have changed it to what can be seen as nothing.
      template: more.template ?? { spec: { containers: [] } },
      ...(managedBy === undefined || OWN_CONTROLLERS.includes(managedBy) ? {} : { managedBy }),
    },
    ...(conditions === undefined ? {} : { status: { conditions } }),
  };
};

/** The JobSet or TrainJob that a trial's Job stands for. */
export const fromJob = (
  experiment: Experiment,
  job: Job,
  defaults: PodDefaults,
): KubernetesObject => {
  const { template, backoffLimit: _ofJobs, ...spec } = job.spec;
  const own =
    experiment.spec.trialTemplate.trialSpec.kind === 'JobSet'
      ? jobSetSpec(experiment, job, defaults)
      : { ...spec, trainer: trainerOf(spec['trainer'], template) };
  return { ...job, spec: own } as KubernetesObject;
};

const jobSetSpec = (experiment: Experiment, job: Job, defaults: PodDefaults): object => {
  const { template, backoffLimit: _ofJobs, ...spec } = job.spec;
  const jobs = spec['replicatedJobs'] as readonly ReplicatedJob[];
  const primary = primaryOf(jobs, experiment.spec.trialTemplate.primaryContainerName);
  return {
    ...spec,
    replicatedJobs: jobs.map((each, index) => {
      const its = each.template.spec.template;
      const pod = index === primary ? template : besidePrimary(its, job, defaults);
      const jobSpec = { backoffLimit: 0, ...each.template.spec, template: pod };
      return { ...each, template: { ...each.template, spec: jobSpec } };
    }),
  };
};

/** A pod of the trial that may not speak for its run. */
const besidePrimary = (pod: PodTemplate, job: Job, defaults: PodDefaults): PodTemplate => {
  const ours = Object.fromEntries(
    [LABELS.experiment, LABELS.trial, LABELS.runId].map((name): [string, string] => [
      name,
      job.metadata.labels?.[name] ?? '',
    ]),
  );
  const labels = { ...withoutReserved(pod.metadata?.labels), ...ours };
  const quiet = { restartPolicy: 'Never', ...pod.spec, automountServiceAccountToken: false };
  return { metadata: { ...pod.metadata, labels }, spec: restrictedPod(quiet, defaults) };
};

/**
 * What the tracked container would get, without what needs the token: no field of a TrainJob that
 * every release has lets a pod be given one.
 */
const FOR_TRAINER = [
  'MLFLOW_TRACKING_URI',
  'MLFLOW_EXPERIMENT_ID',
  'MLFLOW_RUN_ID',
  'MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT',
  'MLFLOW_DISABLE_TELEMETRY',
];

const trainerOf = (trainer: unknown, { spec }: PodTemplate): object => {
  const its = (trainer ?? {}) as { readonly env?: readonly EnvironmentVariable[] };
  const theirs = its.env ?? [];
  const added = (spec.containers[0]?.env ?? []).filter(
    ({ name }) => FOR_TRAINER.includes(name) && !theirs.some((each) => each.name === name),
  );
  return { ...its, env: [...theirs, ...added] };
};
