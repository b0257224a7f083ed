import type { Experiment } from '../../../crds/schema/experiment.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import type { EnvironmentVariable, Job } from '../kubernetes-objects.ts';
import { childName } from '../names-of-children.ts';

/** On pods of an Indexed Job: https://kubernetes.io/docs/reference/labels-annotations-taints/#batch-kubernetes-io-job-completion-index */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** How many pods one trial runs on. */
export const nodesOf = ({ spec }: Experiment): number => spec.trainer?.numNodes ?? 1;

const serviceName = ({ metadata }: Experiment): string => childName(metadata.name, 'nodes');

/**
 * The headless Service through which the pods of a trial find one another: it gives each the name
 * `<job>-<index>.<service>.<namespace>.svc`. One does for all trials, as no two have the same Job.
 * https://kubernetes.io/docs/tasks/job/job-with-pod-to-pod-communication/
 */
export const nodesService = (experiment: Experiment): KubernetesObject => {
  const { name, namespace } = experiment.metadata;
  const labels = { [LABELS.experiment]: name };
  const port = experiment.spec.trainer?.port;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: serviceName(experiment), namespace, labels },
    spec: {
      clusterIP: 'None',
      // They have to meet before any of them is ready.
      publishNotReadyAddresses: true,
      selector: labels,
      // Named so that a mesh takes it for plain TCP.
      ports: [{ name: 'tcp-rendezvous', port, protocol: 'TCP' }],
    },
  } as KubernetesObject;
};

/** What makes the spec of a trial's Job one for several nodes; `{}` for a single one. */
export const indexedSpec = (experiment: Experiment): Readonly<Record<string, unknown>> => {
  const nodes = nodesOf(experiment);
  return nodes === 1 ? {} : { completionMode: 'Indexed', completions: nodes, parallelism: nodes };
};

/** What makes its pod one of several. */
export const nodePodSpec = (experiment: Experiment): Readonly<Record<string, unknown>> =>
  nodesOf(experiment) === 1 ? {} : { subdomain: serviceName(experiment) };

/**
 * What torchrun reads in place of its arguments (each as `PET_` and the argument's name), as Kubeflow
 * Trainer sets it; and what torch.distributed reads of a program that is started without torchrun,
 * where a node has one process. The rank of a node is the index of its pod.
 * https://docs.pytorch.org/docs/stable/elastic/run.html,
 * https://docs.pytorch.org/docs/stable/distributed.html#environment-variable-initialization,
 * https://www.kubeflow.org/docs/components/trainer/user-guides/pytorch/
 */
export const nodeEnvironment = (
  experiment: Experiment,
  jobName: string,
): readonly EnvironmentVariable[] => {
  const nodes = nodesOf(experiment);
  const { trainer } = experiment.spec;
  if (trainer === undefined || nodes === 1) return [];
  const master = `${jobName}-0.${serviceName(experiment)}.${experiment.metadata.namespace}.svc`;
  const port = String(trainer.port);
  return [
    { name: 'PET_NNODES', value: String(nodes) },
    { name: 'PET_NPROC_PER_NODE', value: String(trainer.numProcPerNode) },
    ofIndex('PET_NODE_RANK'),
    { name: 'PET_MASTER_ADDR', value: master },
    { name: 'PET_MASTER_PORT', value: port },
    { name: 'MASTER_ADDR', value: master },
    { name: 'MASTER_PORT', value: port },
    ...(trainer.numProcPerNode === 1
      ? [{ name: 'WORLD_SIZE', value: String(nodes) }, ofIndex('RANK')]
      : []),
    // All nodes log to one run: MLflow keeps their system metrics apart by this.
    { name: 'MLFLOW_SYSTEM_METRICS_NODE_ID', value: 'node_$(PET_NODE_RANK)' },
  ];
};

/** The annotation is older than the label of the same name (1.21, 1.28). */
const ofIndex = (name: string): EnvironmentVariable => ({
  name,
  valueFrom: {
    fieldRef: { apiVersion: 'v1', fieldPath: `metadata.annotations['${COMPLETION_INDEX}']` },
  },
});

/** What of the trial's Job cannot be together with numNodes, as a sentence; undefined: nothing. */
export const contradictionOf = (experiment: Experiment, spec: Job['spec']): string | undefined => {
  const nodes = nodesOf(experiment);
  if (nodes === 1) return undefined;
  const where = 'spec.trialTemplate.trialSpec.spec';
  for (const [field, wanted] of Object.entries(indexedSpec(experiment))) {
    const theirs = spec[field];
    if (theirs === undefined || theirs === wanted) continue;
    return `${where}.${field} is ${JSON.stringify(theirs)}, but spec.trainer.numNodes (${nodes}) makes it ${JSON.stringify(wanted)}; leave ${field} out.`;
  }
  const named = ['hostname', 'subdomain'].find((field) => spec.template.spec[field] !== undefined);
  return named === undefined
    ? undefined
    : `${where}.template.spec.${named} is set, but with spec.trainer.numNodes (${nodes}) pods are named after their node; leave ${named} out.`;
};
