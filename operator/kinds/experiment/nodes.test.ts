import { describe, expect, test } from '@jest/globals';
import { LABELS } from '../../../crds/schema/names.ts';
import { aTemplate, anExperiment } from '../testing/an-experiment.ts';
import { someDefaults } from '../testing/builders.ts';
import { trialJob } from './children.ts';
import { nodesService } from './nodes.ts';
import { fillTemplate } from './template.ts';

type Spec = Parameters<typeof anExperiment>[0];

const trainer = { numNodes: 2, numProcPerNode: 1, port: 29400 };

const jobOf = (spec: Spec, attempt = 0) => {
  const experiment = anExperiment(spec);
  const filled = fillTemplate(experiment, 'digits-train-7', {});
  if ('fault' in filled) throw new Error(filled.fault);
  return trialJob(experiment, { number: 7, runId: 'run1', attempt }, filled.spec, someDefaults());
};

const faultOf = (spec: Spec): string => {
  const filled = fillTemplate(anExperiment(spec), 'digits-train-7', {});
  return 'fault' in filled ? filled.fault : 'none';
};

const variables = (spec: Spec, attempt = 0) =>
  Object.fromEntries(
    (jobOf(spec, attempt).spec.template.spec.containers[0]?.env ?? []).map((each) => [
      each.name,
      each.value ?? each['valueFrom'],
    ]),
  );

const INDEX = {
  fieldRef: {
    apiVersion: 'v1',
    fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']",
  },
};
const FIRST = 'digits-train-7-0.digits-train-nodes.demo.svc';

describe('a trial on several nodes', () => {
  test('is an Indexed Job of as many pods, none of which is tried twice', () => {
    const { spec } = jobOf({ trainer });
    expect(spec).toMatchObject({
      completionMode: 'Indexed',
      completions: 2,
      parallelism: 2,
      backoffLimit: 0,
    });
    expect(spec.template.spec['subdomain']).toBe('digits-train-nodes');
  });

  // Names: https://docs.pytorch.org/docs/stable/elastic/run.html and, as Kubeflow Trainer sets them,
  // https://github.com/kubeflow/trainer/blob/master/docs/proposals/2170-kubeflow-trainer-v2/README.md
  test('tells torchrun and torch.distributed how many they are and where the first one is', () => {
    expect(variables({ trainer })).toMatchObject({
      MLFLOW_RUN_ID: 'run1',
      PET_NNODES: '2',
      PET_NPROC_PER_NODE: '1',
      PET_NODE_RANK: INDEX,
      PET_MASTER_ADDR: FIRST,
      PET_MASTER_PORT: '29400',
      MASTER_ADDR: FIRST,
      MASTER_PORT: '29400',
      WORLD_SIZE: '2',
      RANK: INDEX,
      MLFLOW_SYSTEM_METRICS_NODE_ID: 'node_$(PET_NODE_RANK)',
    });
  });

  test('leaves ranks to torchrun where a node has several processes', () => {
    const set = variables({ trainer: { numNodes: 3, numProcPerNode: 8, port: 5000 } });
    expect(set).toMatchObject({ PET_NNODES: '3', PET_NPROC_PER_NODE: '8', MASTER_PORT: '5000' });
    expect(set).not.toHaveProperty('RANK');
    expect(set).not.toHaveProperty('WORLD_SIZE');
  });

  test('meets at the pod of its own attempt', () => {
    expect(variables({ trainer }, 2)['PET_MASTER_ADDR']).toBe(
      'digits-train-7-r2-0.digits-train-nodes.demo.svc',
    );
  });

  test('keeps a variable of its author', () => {
    const env = [{ name: 'PET_MASTER_PORT', value: '1234' }];
    expect(variables({ trainer, trialTemplate: aTemplate({ env }) })['PET_MASTER_PORT']).toBe(
      '1234',
    );
  });

  test('may say itself what numNodes says', () => {
    const same = { completions: 2, parallelism: 2, completionMode: 'Indexed' };
    expect(faultOf({ trainer, trialTemplate: aTemplate({}, same) })).toBe('none');
  });

  test.each([
    [{ completions: 3 }, 'completions is 3, but spec.trainer.numNodes (2) makes it 2'],
    [{ parallelism: 1 }, 'parallelism is 1, but spec.trainer.numNodes (2) makes it 2'],
    [
      { completionMode: 'NonIndexed' },
      'completionMode is "NonIndexed", but spec.trainer.numNodes (2) makes it "Indexed"',
    ],
  ])('cannot be %j', (job, words) => {
    expect(faultOf({ trainer, trialTemplate: aTemplate({}, job) })).toBe(
      `spec.trialTemplate.trialSpec.spec.${words}; leave ${Object.keys(job)[0]} out.`,
    );
  });

  test.each(['hostname', 'subdomain'])('cannot have a %s of its own', (field) => {
    const spec = { containers: [{ name: 'train' }], [field]: 'mine' };
    const trialTemplate = aTemplate({}, { template: { spec } });
    expect(faultOf({ trainer, trialTemplate })).toBe(
      `spec.trialTemplate.trialSpec.spec.template.spec.${field} is set, but with spec.trainer.numNodes (2) pods are named after their node; leave ${field} out.`,
    );
  });

  test('is found through a headless Service before it is ready', () => {
    expect(nodesService(anExperiment({ trainer }))).toMatchObject({
      metadata: { name: 'digits-train-nodes', namespace: 'demo' },
      spec: {
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector: { [LABELS.experiment]: 'digits-train' },
        ports: [{ port: 29400, protocol: 'TCP' }],
      },
    });
  });
});

describe('a trial on one node', () => {
  test('is the same with and without a trainer', () => {
    const one = { numNodes: 1, numProcPerNode: 4, port: 29400 };
    expect(jobOf({ trainer: one })).toEqual(jobOf({}));
    const theirs = { completions: 3, parallelism: 1 };
    expect(jobOf({ trialTemplate: aTemplate({}, theirs) }).spec).toMatchObject(theirs);
  });
});
