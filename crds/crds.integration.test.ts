import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readConfig } from '../e2e/cluster/config.ts';
import { goToolPath } from '../e2e/cluster/go-tool.ts';
import { kubectl as clusterKubectl } from '../e2e/cluster/kubectl.ts';
import { rootSchema } from './custom-resource-definition.ts';
import { kinds } from './schema/all.ts';
import type { StructuralSchema } from './structural.ts';
import { changed } from './testing/changed.ts';
import {
  abTestExample,
  deploymentExample,
  exampleManifests,
  experimentExample,
  modelAliasExample,
  modelExample,
  modelVersionExample,
  pipelineExample,
  pipelineRunExample,
  retrainPolicyExample,
} from './testing/example-manifests.ts';
import { katibShapes } from './testing/katib-manifests.ts';
import { ManifestApi, definitionOf } from './testing/manifest-api.ts';
import type { Answer, AnyManifest } from './testing/manifest-api.ts';
import { refusals } from './testing/refusals.ts';

const kubeconfig = process.env['INTEGRATION_KUBECONFIG'] ?? '';
const namespace = `crds-${randomUUID().slice(0, 8)}`;

// Starting kubectl takes a second or more on a busy machine.
jest.setTimeout(60_000);

async function kubectl(...args: string[]): Promise<string> {
  return clusterKubectl(goToolPath(readConfig(), 'kube'), kubeconfig, args);
}

function messageOf(answer: Answer): string {
  return answer.accepted ? 'accepted' : answer.message;
}

function messagesOf(schema: StructuralSchema): string[] {
  return [
    ...(schema['x-kubernetes-validations'] ?? []).map(({ message }) => message),
    ...Object.values(schema.properties ?? {}).flatMap(messagesOf),
    ...(schema.items === undefined ? [] : messagesOf(schema.items)),
  ];
}

type Named = { readonly kind: string; readonly metadata: { readonly name: string } };

async function read(manifest: Named): Promise<AnyManifest> {
  const answer = await api.get(manifest);
  if (!answer.accepted) throw new Error(answer.message);
  return answer.object;
}

function resourceVersion(manifest: AnyManifest): unknown {
  return (manifest.metadata as { resourceVersion?: unknown }).resourceVersion;
}

let api: ManifestApi;
/** Everything the apiserver answered with a refusal, to see that every rule has been tried. */
const said: string[] = [];

beforeAll(async () => {
  if (kubeconfig === '') throw new Error('INTEGRATION_KUBECONFIG must name a kubeconfig');
  // Client-side on purpose: it is what users type, and it fails above 256 KiB a CRD.
  await kubectl('apply', '-f', import.meta.dirname);
  await kubectl('wait', '--for=condition=Established', '--timeout=60s', ...crdNames());
  await kubectl('create', 'namespace', namespace);
  api = new ManifestApi(kubeconfig, namespace);
  for (const manifest of exampleManifests)
    expect(messageOf(await api.create(manifest))).toBe('accepted');
}, 120_000);

afterAll(async () => {
  for (const manifest of exampleManifests) await api.delete(manifest);
  await kubectl('delete', 'namespace', namespace, '--wait=false');
});

function crdNames(): string[] {
  return kinds.map(({ plural }) => `crd/${plural}.mlops.pynomaly.io`);
}

describe('what comes from Katib', () => {
  test.each(Object.entries(katibShapes))('is accepted with %s', async (_what, manifest) => {
    const here = changed(manifest, { 'metadata.namespace': undefined });
    expect(messageOf(await api.tryCreate(here))).toBe('accepted');
  });
});

describe('what is refused', () => {
  test.each(refusals.map((each) => [`${each.manifest.kind}: ${each.what}`, each] as const))(
    '%s',
    async (_, { manifest, says }) => {
      const message = messageOf(await api.tryCreate(manifest));
      said.push(message);
      expect(message).toContain(says);
    },
  );
});

describe('what is accepted', () => {
  const accepted: readonly (readonly [string, object])[] = [
    ['a Model without a spec', changed(modelExample, { spec: undefined, 'metadata.name': 'bare' })],
    [
      'a Model with a name of 63 characters',
      changed(modelExample, { 'metadata.name': 'a'.repeat(63) }),
    ],
    ...[
      '0.0.0',
      '1.0.0-alpha.1',
      '1.0.0-0.3.7',
      '1.0.0-x-y-z.--',
      '1.0.0+20130313144700',
      '99999999999999999999.0.0',
      '1.0.0-0A.is.legal',
    ].map(
      (version) =>
        [
          `the version ${version}`,
          changed(modelVersionExample, { 'metadata.name': 'other', 'spec.version': version }),
        ] as const,
    ),
    ...['s3://b/a..b/x', 'https://example.com/m.onnx?v=1', 'pvc://claim/folder/', 's3://b/…/x'].map(
      (uri) =>
        [
          `the URI ${uri}`,
          changed(modelVersionExample, { 'metadata.name': 'other', 'spec.storageUri': uri }),
        ] as const,
    ),
    [
      'an Experiment without parameters',
      changed(experimentExample, {
        'metadata.name': 'a'.repeat(52),
        spec: { trialTemplate: { trialSpec: experimentExample.spec.trialTemplate.trialSpec } },
      }),
    ],
    ...[
      'bayesianoptimization',
      'multivariate-tpe',
      'sobol',
      'hyperband',
      'cmaes',
      'nsgaii',
      'qmc',
    ].map(
      (name) =>
        [
          `the algorithm ${name}`,
          changed(experimentExample, {
            'metadata.name': 'other',
            'spec.algorithm.algorithmName': name,
          }),
        ] as const,
    ),
    [
      'a grid without an end',
      changed(experimentExample, {
        'metadata.name': 'other',
        'spec.algorithm.algorithmName': 'grid',
        'spec.maxTrialCount': undefined,
        'spec.objective.goal': undefined,
      }),
    ],
    [
      'a Deployment of one pod',
      changed(deploymentExample, {
        'metadata.name': 'a'.repeat(45),
        spec: { predictor: { model: { modelRef: { name: 'digits' }, version: '1.0.0' } } },
      }),
    ],
    [
      'a Deployment with a fixed number of pods',
      changed(deploymentExample, {
        'metadata.name': 'other',
        spec: {
          predictor: { model: { modelRef: { name: 'digits' }, alias: 'champion' }, replicas: 0 },
        },
      }),
    ],
    ...['UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'].map(
      (zone) =>
        [
          `the time zone ${zone}`,
          changed(pipelineExample, { 'metadata.name': 'other', 'spec.timeZone': zone }),
        ] as const,
    ),
    ...['@daily', '*/5 0-6,18 1,15 JAN-JUN MON'].map(
      (schedule) =>
        [
          `the schedule ${schedule}`,
          changed(pipelineExample, { 'metadata.name': 'other', 'spec.schedule': schedule }),
        ] as const,
    ),
    [
      'a task whose name ends like another',
      changed(pipelineExample, {
        'metadata.name': 'other',
        'spec.tasks.1.name': 'extract-2',
        'spec.tasks.2.depends': 'extract-2',
      }),
    ],
    [
      'a test by cookie',
      changed(abTestExample, { 'metadata.name': 'other', 'spec.unit': { cookie: 'user' } }),
    ],
    [
      'a test that shares its units as a bandit',
      changed(abTestExample, {
        'metadata.name': 'other',
        'spec.allocation': { mode: 'bandit', floor: 10, interval: '2h', probabilityToBeBest: 0.99 },
        'spec.metrics.goal': [{ name: 'conversion', type: 'proportion', direction: 'increase' }],
      }),
    ],
    [
      'a policy that runs a Pipeline',
      changed(retrainPolicyExample, {
        'metadata.name': 'other',
        'spec.experimentRef': undefined,
        'spec.pipelineRef': { name: 'nightly' },
      }),
    ],
  ];

  test.each(accepted)('%s', async (_, manifest) => {
    expect(messageOf(await api.tryCreate(manifest))).toBe('accepted');
  });
});

describe('objects as large as the schema lets them be', () => {
  const times = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => make(index));

  test('an Experiment with a hundred long parameters stays within the cost of its rules', async () => {
    const name = (index: number) => `p${index}`.padEnd(63, 'x');
    const list = times(256, (index) => `${index}`.padStart(128, '1'));
    const large = changed(experimentExample, {
      'metadata.name': 'large',
      'spec.parameters': times(100, (index) => ({
        name: name(index),
        parameterType: 'discrete',
        feasibleSpace: { list },
      })).map((each, index) => (index < 20 ? each : { ...each, feasibleSpace: { list: ['1'] } })),
      'spec.trialTemplate.trialParameters': times(100, (index) => ({
        name: name(index),
        reference: name(99),
      })),
    });
    expect(messageOf(await api.tryCreate(large))).toBe('accepted');
  });

  test('a Pipeline with a hundred tasks stays within the cost of its rules', async () => {
    const name = (index: number) => `t${index}-`.padEnd(63, 'x');
    const large = changed(pipelineExample, {
      'metadata.name': 'large',
      'spec.tasks': times(100, (index) => ({
        name: name(index),
        ...(index === 0
          ? {}
          : { depends: times(15, (other) => name(index <= other ? 0 : other)).join(' && ') }),
        template: { container: { image: 'registry.example.com/task:1' } },
      })),
    });
    expect(messageOf(await api.tryCreate(large))).toBe('accepted');
  });
});

describe('what may change later', () => {
  async function replaced(manifest: Named, changes: Record<string, unknown>) {
    const stored = await read(manifest);
    const message = messageOf(await api.tryReplace(changed(stored, changes)));
    said.push(message);
    return message;
  }

  test.each([
    ['modelRef', { 'spec.modelRef.name': 'letters' }],
    ['version', { 'spec.version': '1.0.1' }],
    ['storageUri', { 'spec.storageUri': 's3://models/other' }],
    ['modelFormat', { 'spec.modelFormat.name': 'mlflow' }],
    ['verification', { 'spec.verification': undefined }],
    ['source', { 'spec.source.runId': 'other' }],
    ['metrics', { 'spec.metrics': [] }],
    ['secretRef', { 'spec.secretRef': undefined }],
    ['deletionPolicy', { 'spec.deletionPolicy': 'Delete' }],
  ])('%s of a ModelVersion cannot', async (field, changes) => {
    expect(await replaced(modelVersionExample, changes)).toContain(
      `${field} cannot be changed: a version stays what it was`,
    );
  });

  test('tags of a ModelVersion can', async () => {
    expect(await replaced(modelVersionExample, { 'spec.tags': { stage: 'production' } })).toBe(
      'accepted',
    );
  });

  test('a field of a ModelVersion that was left out cannot be added', async () => {
    await api.create(
      changed(modelVersionExample, { 'metadata.name': 'bare', 'spec.secretRef': undefined }),
    );
    const bare = changed(modelVersionExample, { 'metadata.name': 'bare' });
    expect(await replaced(bare, { 'spec.secretRef': { name: 'late' } })).toContain(
      'secretRef cannot be changed',
    );
    await api.delete(bare);
  });

  test('modelRef and alias of a ModelAlias cannot, whatever its name', async () => {
    const dashed = changed(modelAliasExample, {
      'metadata.name': 'a-b-c',
      'spec.modelRef.name': 'a-b',
      'spec.alias': 'c',
    });
    expect(messageOf(await api.create(dashed))).toBe('accepted');
    const message = await replaced(dashed, { 'spec.modelRef.name': 'a', 'spec.alias': 'b-c' });
    await api.delete(dashed);
    expect(message).toContain('modelRef cannot be changed: create a ModelAlias');
    expect(message).toContain('alias cannot be changed: create a ModelAlias');
  });

  test('version and pinned of a ModelAlias can', async () => {
    expect(
      await replaced(modelAliasExample, { 'spec.version': '1.1.0', 'spec.pinned': true }),
    ).toBe('accepted');
  });

  test.each([
    ['objective', { 'spec.objective.goal': 0.5 }],
    ['algorithm', { 'spec.algorithm.algorithmName': 'gp' }],
    ['earlyStopping', { 'spec.earlyStopping': undefined }],
    ['parameters', { 'spec.parameters.0.feasibleSpace.max': '256' }],
    ['metricsCollectorSpec', { 'spec.metricsCollectorSpec': { collector: { kind: 'None' } } }],
    ['resumePolicy', { 'spec.resumePolicy': 'Never' }],
    ['ttlSecondsAfterFinished', { 'spec.ttlSecondsAfterFinished': 60 }],
    ['trialTemplate', { 'spec.trialTemplate.retain': true }],
    [
      'trialTemplate',
      {
        'spec.trialTemplate.trialSpec.spec.template.spec.containers.0.image':
          'registry.example.com/evil:1',
      },
    ],
    ['trainer', { 'spec.trainer': { numNodes: 2 } }],
    ['register', { 'spec.register.bump': 'major' }],
  ])('%s of an Experiment cannot', async (field, changes) => {
    expect(await replaced(experimentExample, changes)).toContain(
      `${field} cannot be changed: an Experiment runs once`,
    );
  });

  test('the four knobs of an Experiment can', async () => {
    expect(
      await replaced(experimentExample, {
        'spec.parallelTrialCount': 4,
        'spec.maxTrialCount': 40,
        'spec.maxFailedTrialCount': 5,
        'spec.suspend': true,
      }),
    ).toBe('accepted');
  });

  test.each([
    ['pipelineRef', { 'spec.pipelineRef.name': 'daily' }],
    [
      'pipelineSpec',
      { 'spec.pipelineSpec.tasks.0.template.container.env': [{ name: 'A', value: 'b' }] },
    ],
    ['parameters', { 'spec.parameters.0.value': 'tuesday' }],
    ['scheduledTime', { 'spec.scheduledTime': '2026-01-02T01:00:00Z' }],
  ])('%s of a PipelineRun cannot', async (field, changes) => {
    expect(await replaced(pipelineRunExample, changes)).toContain(
      `${field} cannot be changed: a PipelineRun runs once`,
    );
  });

  test('suspend of a PipelineRun can', async () => {
    expect(await replaced(pipelineRunExample, { 'spec.suspend': true })).toBe('accepted');
  });

  test('everything of an ABTest can until it has started', async () => {
    expect(await replaced(abTestExample, { 'spec.alpha': 0.01 })).toBe('accepted');
  });

  describe('an ABTest that has started', () => {
    const started = changed(abTestExample, { 'metadata.name': 'started' });

    beforeAll(async () => {
      const answer = await api.create(started);
      if (!answer.accepted) throw new Error(answer.message);
      await api.replaceStatus({ ...answer.object, status: { startTime: '2026-01-01T00:00:00Z' } });
    });

    afterAll(() => api.delete(started));

    test.each([
      ['deploymentRef', { 'spec.deploymentRef.name': 'letters' }],
      ['candidates', { 'spec.candidates.0.weight': 1 }],
      ['unit', { 'spec.unit.header': 'x-session' }],
      ['metrics', { 'spec.metrics.guardrails': undefined }],
      ['inference', { 'spec.inference': { mode: 'bayesian' } }],
      ['allocation', { 'spec.allocation': { mode: 'bandit' } }],
      ['alpha', { 'spec.alpha': 0.01 }],
      ['minimumRuntime', { 'spec.minimumRuntime': '1m' }],
      ['minimumSamples', { 'spec.minimumSamples': 1 }],
      ['onDecision', { 'spec.onDecision': 'pause' }],
    ])('keeps its %s', async (field, changes) => {
      expect(await replaced(started, changes)).toContain(
        `spec.${field} cannot be changed once the test has started`,
      );
    });

    test('can be suspended and go on longer', async () => {
      expect(await replaced(started, { 'spec.suspend': true, 'spec.maximumRuntime': '30d' })).toBe(
        'accepted',
      );
    });
  });
});

test('every rule of every CRD has refused something above', () => {
  const all = new Set(kinds.flatMap((each) => messagesOf(rootSchema(each))));
  const untried = [...all].filter((message) => !said.some((each) => each.includes(message)));
  expect(untried).toEqual([]);
});

describe('what the apiserver fills in', () => {
  const spec = async (manifest: object) => {
    const answer = await api.tryCreate(manifest);
    if (!answer.accepted) throw new Error(answer.message);
    return answer.object['spec'] as Record<string, unknown>;
  };

  test('a Model gets an empty spec', async () => {
    expect(await spec(changed(modelExample, { 'metadata.name': 'bare', spec: undefined }))).toEqual(
      {},
    );
  });

  test('a ModelVersion keeps its bytes and is onnx', async () => {
    const served = await spec(
      changed(modelVersionExample, { 'metadata.name': 'bare', 'spec.modelFormat': undefined }),
    );
    expect(served).toMatchObject({ deletionPolicy: 'Retain', modelFormat: { name: 'onnx' } });
  });

  test('a ModelAlias is not pinned', async () => {
    const alias = changed(modelAliasExample, { 'metadata.name': 'digits-x', 'spec.alias': 'x' });
    expect(await spec(alias)).toMatchObject({ pinned: false });
  });

  test('a Deployment gets its deadlines, and the objects it names theirs', async () => {
    const served = await spec(
      changed(deploymentExample, {
        'metadata.name': 'bare',
        spec: {
          predictor: {
            model: { modelRef: { name: 'digits' }, alias: 'champion' },
            batcher: {},
            logger: {},
          },
        },
      }),
    );
    expect(served).toEqual({
      predictor: {
        model: { modelRef: { name: 'digits' }, alias: 'champion' },
        containerConcurrency: 64,
        timeout: '30s',
        batcher: { maxBatchSize: 32, maxLatency: '2ms' },
        logger: { mode: 'all', sampleRate: 1 },
      },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
    });
  });

  test('zod fills in the same as the apiserver, for every example', async () => {
    for (const manifest of exampleManifests) {
      const definition = definitionOf(manifest.kind);
      const stored = await read(manifest);
      expect(definition.spec.parse(manifest.spec)).toEqual(stored['spec']);
    }
  });
});

describe('what users see', () => {
  test('what is stored does not differ from what was written, defaults aside', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'crds-'));
    const file = join(folder, 'examples.json');
    await writeFile(
      file,
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: exampleManifests }),
    );
    const apply = ['apply', '--server-side', '--field-manager=crds-test', '--force-conflicts'];
    await kubectl(...apply, '-n', namespace, '-f', file);
    const before = await Promise.all(exampleManifests.map((each) => read(each)));
    await kubectl(...apply, '-n', namespace, '-f', file);
    await rm(folder, { recursive: true });
    const after = await Promise.all(exampleManifests.map((each) => read(each)));
    expect(after.map(resourceVersion)).toEqual(before.map(resourceVersion));
  });

  test.each(kinds.map((each) => [each.plural, each] as const))(
    'kubectl explain %s.spec describes its fields',
    async (plural, { description }) => {
      const explained = await kubectl(
        'explain',
        `${plural}.spec`,
        '--api-version=mlops.pynomaly.io/v1alpha1',
      );
      expect(explained).toContain('FIELDS:');
      expect(explained).not.toContain('<no description>');
      const root = await kubectl('explain', plural, '--api-version=mlops.pynomaly.io/v1alpha1');
      expect(root.replaceAll(/\s+/g, ' ')).toContain(description);
    },
  );

  test('kubectl get mlops lists every kind', async () => {
    const names = await kubectl('get', 'mlops', '-n', namespace, '-o', 'name');
    for (const { singular, kind } of kinds) {
      expect(names).toContain(
        `${kind === 'Deployment' ? 'deployment' : singular}.mlops.pynomaly.io/`,
      );
    }
  });

  test.each([
    ['mlm', 'NAME READY CHAMPION LATEST VERSIONS AGE'],
    ['mlv', 'NAME READY REASON MODEL VERSION FORMAT SIZE AGE'],
    ['mla', 'NAME MODEL ALIAS VERSION AGE'],
    ['mlexp', 'NAME READY REASON SUCCEEDED RUNNING FAILED BEST AGE'],
    ['mlpipe', 'NAME READY REASON LAST-RUN NEXT-RUN AGE'],
    ['mlrun', 'NAME READY REASON DONE AGE'],
    ['mldep', 'NAME READY REASON VERSION WEIGHT REPLICAS URL AGE'],
    ['mlab', 'NAME READY REASON DECISION SAMPLES AGE'],
    ['mlretrain', 'NAME READY REASON LAST-TRIGGER NEXT-CHECK AGE'],
  ])('kubectl get %s has the columns of the contract', async (short, columns) => {
    const [head] = (await kubectl('get', short, '-n', namespace)).split('\n');
    expect(head?.trim().split(/\s+/).join(' ')).toBe(columns);
  });

  test('kubectl get deployment goes on meaning apps/v1', async () => {
    expect(await kubectl('get', 'deployment', '-n', namespace, '-o', 'name')).toBe('');
  });

  test('kubectl scale sets replicas of a Deployment', async () => {
    const fixed = changed(deploymentExample, {
      'metadata.name': 'fixed',
      spec: {
        predictor: { model: { modelRef: { name: 'digits' }, alias: 'champion' }, replicas: 1 },
      },
    });
    await api.create(fixed);
    await kubectl('scale', 'mldep/fixed', '-n', namespace, '--replicas=3');
    const replicas = await kubectl(
      'get',
      'mldep',
      'fixed',
      '-n',
      namespace,
      '-o',
      'jsonpath={.spec.predictor.replicas}',
    );
    await api.delete(fixed);
    expect(replicas).toBe('3');
  });
});
