import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { PodSpec, PodTemplate } from '../kubernetes-objects.ts';
import { privilegeAskedFor } from '../privileges.ts';

/** A piece of the spec of a JobSet. */
export type ReplicatedJob = {
  readonly name?: string;
  readonly template: { readonly spec: { readonly template: PodTemplate } };
};

/** The container of a TrainJob that its `trainer` is about: https://www.kubeflow.org/docs/components/trainer/operator-guides/runtime/ */
const TRAINER_CONTAINER = 'node';

const WHERE = 'spec.trialTemplate.trialSpec';

/**
 * The spec of a JobSet or a TrainJob seen as that of a Job, so that all else knows Jobs only. In a JobSet the tracked pod
 * is that of the replicated job that holds the primary container, or of the first. A TrainJob has no
 * pod template: the view has one container, whose environment is that of `trainer`.
 */
export const viewOfSpec = (
  { spec: { trialTemplate } }: Experiment,
  spec: unknown,
): { readonly spec: unknown } | { readonly fault: string } => {
  switch (trialTemplate.trialSpec.kind) {
    case 'Job':
      return { spec };
    case 'JobSet':
      return viewOfJobSet(spec, trialTemplate.primaryContainerName);
    case 'TrainJob':
      return viewOfTrainJob(spec);
  }
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const recordsOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

/** The replicated jobs, as far as each has a pod with a container. */
const replicatedJobsOf = (spec: unknown): readonly ReplicatedJob[] | undefined => {
  if (!isRecord(spec) || !Array.isArray(spec['replicatedJobs'])) return undefined;
  const jobs = spec['replicatedJobs'] as readonly (ReplicatedJob | undefined)[];
  const complete = jobs.every((each) => {
    const pod = each?.template?.spec?.template?.spec as Partial<PodSpec> | undefined;
    return recordsOf(pod?.containers).length > 0;
  });
  return jobs.length > 0 && complete ? (jobs as readonly ReplicatedJob[]) : undefined;
};

/** Index of the replicated job whose pod is tracked. */
export const primaryOf = (jobs: readonly ReplicatedJob[], container: string | undefined): number =>
  Math.max(
    0,
    jobs.findIndex(({ template }) =>
      template.spec.template.spec.containers.some(({ name }) => name === container),
    ),
  );

/** The replicated job whose pods are tracked; Kubeflow's runtimes name it as its container. */
export const trackedReplica = ({ spec }: Experiment): string | undefined => {
  const { primaryContainerName, trialSpec } = spec.trialTemplate;
  if (trialSpec.kind === 'TrainJob') return TRAINER_CONTAINER;
  const jobs = replicatedJobsOf(trialSpec.spec) ?? [];
  return jobs[primaryOf(jobs, primaryContainerName)]?.name;
};

const viewOfJobSet = (
  spec: unknown,
  container: string | undefined,
): { readonly spec: unknown } | { readonly fault: string } => {
  const jobs = replicatedJobsOf(spec);
  if (jobs === undefined) {
    return {
      fault: `${WHERE}.spec.replicatedJobs is missing or empty, or one of them has no template.spec.template.spec.containers; name the containers that train.`,
    };
  }
  const privilege = privilegeAnywhere(spec);
  if (privilege !== undefined) return { fault: refused(privilege) };
  return {
    spec: {
      ...(spec as object),
      template: jobs[primaryOf(jobs, container)]?.template.spec.template,
    },
  };
};

const viewOfTrainJob = (spec: unknown): { readonly spec: unknown } | { readonly fault: string } => {
  if (!isRecord(spec) || !isRecord(spec['runtimeRef'])) {
    return { fault: `${WHERE}.spec.runtimeRef is missing; name the runtime that trains.` };
  }
  const privilege = privilegeAnywhere(spec);
  if (privilege !== undefined) return { fault: refused(privilege) };
  const trainer = isRecord(spec['trainer']) ? spec['trainer'] : {};
  const container = { name: TRAINER_CONTAINER, env: recordsOf(trainer['env']) };
  return { spec: { ...spec, template: { spec: { containers: [container] } } } };
};

const refused = (privilege: string): string =>
  `${WHERE} asks for ${privilege}, which no trial gets; remove it.`;

/**
 * Looks at everything that may be a piece of a pod, however deep: what a TrainJob may override has
 * changed from release to release.
 */
const privilegeAnywhere = (value: unknown): string | undefined => {
  if (Array.isArray(value)) return firstOf(value);
  if (!isRecord(value)) return undefined;
  const pod = {
    ...value,
    containers: recordsOf(value['containers']),
    initContainers: recordsOf(value['initContainers']),
    volumes: recordsOf(value['volumes']),
  };
  return privilegeAskedFor(pod as unknown as PodSpec) ?? firstOf(Object.values(value));
};

const firstOf = (values: readonly unknown[]): string | undefined => {
  for (const each of values) {
    const found = privilegeAnywhere(each);
    if (found !== undefined) return found;
  }
  return undefined;
};
