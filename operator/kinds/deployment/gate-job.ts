/** The Job of a gate: the user's template, told which version it is about. Pure. */
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { Container, Job, PodSpec, PodTemplate } from '../kubernetes-objects.ts';
import { shortHash } from '../names-of-children.ts';
import type { ChildDefaults } from '../ports.ts';
import { withoutReserved } from '../reserved-labels.ts';
import { restrictedPod } from '../restricted-pod.ts';
import { urlOf } from './children.ts';
import { gateJobName } from './names.ts';

export type PromotionSpec = NonNullable<Deployment['spec']['promotion']>;
export type Gate = NonNullable<PromotionSpec['gates']>[number];

/** A gate of the list, from 0, and the version that stands before it. */
export type AtGate = {
  readonly deployment: Deployment;
  readonly source: Deployment;
  readonly version: ModelVersion;
  readonly gate: Gate;
  readonly index: number;
};

/** Stands for one version, from one Deployment, at one gate: another of any of them has another Job. */
export const gateKey = ({ source, version, gate, index }: AtGate): string =>
  shortHash(
    JSON.stringify([version.metadata.uid, version.spec.version, source.metadata.name, index, gate]),
  );

type JobSpec = { readonly template: PodTemplate; readonly [field: string]: unknown };

/** What keeps the template from being one; the API server judges the rest. */
export const templateFault = ({ gate, index }: AtGate): string | undefined => {
  const where = `spec.promotion.gates[${index}].job.spec.template.spec`;
  const pod = (gate.job?.spec as Partial<JobSpec> | undefined)?.template?.spec as unknown;
  if (!isObject(pod)) return `${where} is missing; write the pod of the Job there`;
  if (!isListOfObjects(pod['containers']) || pod['containers'].length === 0) {
    return `${where}.containers is missing or empty; name the container that tests`;
  }
  return listFault(where, pod, pod['containers']);
};

const listFault = (where: string, pod: Plain, containers: readonly Plain[]): string | undefined => {
  const field = ['initContainers', 'volumes', 'imagePullSecrets'].find(
    (each) => !isOptionalList(pod[each]),
  );
  if (field !== undefined) return `${where}.${field} must be a list of objects`;
  const all = [...containers, ...((pod['initContainers'] ?? []) as readonly Plain[])];
  const inside = ['env', 'volumeMounts'].find((each) =>
    all.some((container) => !isOptionalList(container[each])),
  );
  return inside && `${where}: ${inside} of a container must be a list of objects`;
};

type Plain = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isListOfObjects = (value: unknown): value is readonly Plain[] =>
  Array.isArray(value) && value.every(isObject);

const isOptionalList = (value: unknown): boolean => value === undefined || isListOfObjects(value);

/** Its template must have no fault. */
export const gateJob = (at: AtGate, attempt: number, defaults: ChildDefaults): Job => {
  const { name, namespace } = at.deployment.metadata;
  const { ttlSecondsAfterFinished: _ours, ...spec } = (at.gate.job?.spec ?? {}) as JobSpec;
  const { metadata } = spec.template;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: gateJobName(name, gateKey(at), attempt), namespace },
    spec: {
      backoffLimit: 0,
      ...spec,
      template: {
        metadata: { ...metadata, labels: withoutReserved(metadata?.labels) },
        spec: restrictedPod(toldPod(spec.template.spec, at), defaults),
      },
    },
  };
};

const toldPod = (spec: PodSpec, at: AtGate): PodSpec => ({
  restartPolicy: 'Never',
  automountServiceAccountToken: false,
  ...spec,
  containers: spec.containers.map((container) => toldContainer(container, at)),
});

/** The end of the log becomes part of the pod's status, where a failure is explained from. */
const toldContainer = (container: Container, { source, version }: AtGate): Container => {
  const told = [
    { name: 'MLOPS_SOURCE', value: source.metadata.name },
    { name: 'MLOPS_SOURCE_URL', value: urlOf(source) },
    { name: 'MLOPS_MODEL', value: version.spec.modelRef.name },
    { name: 'MLOPS_VERSION', value: version.spec.version },
  ];
  const theirs = container.env ?? [];
  const missing = told.filter(({ name }) => !theirs.some((each) => each.name === name));
  return {
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ...container,
    env: [...theirs, ...missing],
  };
};
