import type { abTest } from '../schema/ab-test.ts';
import type { deployment } from '../schema/deployment.ts';
import type { experiment } from '../schema/experiment.ts';
import type { modelAlias } from '../schema/model-alias.ts';
import type { modelVersion } from '../schema/model-version.ts';
import type { model } from '../schema/model.ts';
import type { pipelineRun } from '../schema/pipeline-run.ts';
import type { pipeline } from '../schema/pipeline.ts';
import { API_VERSION } from '../schema/resource.ts';
import type { Manifest } from '../schema/resource.ts';
import type { retrainPolicy } from '../schema/retrain-policy.ts';

/** One valid object of each kind that uses most of its fields; tests change one thing at a time. */

const apiVersion = API_VERSION;

export const modelExample: Manifest<typeof model> = {
  apiVersion,
  kind: 'Model',
  metadata: { name: 'digits' },
  spec: {
    description: 'Handwritten digits',
    owner: 'vision@example.com',
    task: 'classification',
    retention: { keepLast: 10 },
    sharedWith: ['team-b'],
    tags: { domain: 'vision' },
  },
};

export const modelVersionExample: Manifest<typeof modelVersion> = {
  apiVersion,
  kind: 'ModelVersion',
  metadata: { name: 'digits-1.0.0' },
  spec: {
    modelRef: { name: 'digits' },
    version: '1.0.0',
    storageUri: 's3://models/digits/1.0.0/model.onnx',
    modelFormat: { name: 'onnx', version: '17' },
    verification: { digest: `sha256:${'0123456789abcdef'.repeat(4)}` },
    source: {
      experimentRef: { name: 'digits-train' },
      pipelineRunRef: { name: 'nightly-1' },
      runId: '0af7651916cd43dd8448eb211c80319c',
    },
    metrics: [{ name: 'accuracy', value: 0.972 }],
    secretRef: { name: 'storage-config' },
    tags: { stage: 'candidate' },
  },
};

export const modelAliasExample: Manifest<typeof modelAlias> = {
  apiVersion,
  kind: 'ModelAlias',
  metadata: { name: 'digits-champion' },
  spec: { modelRef: { name: 'digits' }, alias: 'champion', version: '1.0.0' },
};

export const experimentExample: Manifest<typeof experiment> = {
  apiVersion,
  kind: 'Experiment',
  metadata: { name: 'digits-train' },
  spec: {
    objective: {
      type: 'maximize',
      objectiveMetricName: 'accuracy',
      goal: 0.99,
      additionalMetricNames: ['loss'],
      metricStrategies: [{ name: 'accuracy', value: 'max' }],
    },
    algorithm: { algorithmName: 'tpe', algorithmSettings: [{ name: 'seed', value: '7' }] },
    earlyStopping: { algorithmName: 'median' },
    parameters: [
      { name: 'hidden', parameterType: 'int', feasibleSpace: { min: '16', max: '128' } },
      {
        name: 'lr',
        parameterType: 'double',
        feasibleSpace: { min: '1e-4', max: '1e-1', distribution: 'logUniform' },
      },
      {
        name: 'activation',
        parameterType: 'categorical',
        feasibleSpace: { list: ['relu', 'tanh'] },
      },
      { name: 'batch', parameterType: 'discrete', feasibleSpace: { list: ['16', '32', '6.4e1'] } },
    ],
    parallelTrialCount: 2,
    maxTrialCount: 20,
    maxFailedTrialCount: 3,
    suspend: false,
    ttlSecondsAfterFinished: 604800,
    trialTemplate: {
      primaryContainerName: 'train',
      trialParameters: [
        { name: 'hidden', reference: 'hidden' },
        { name: 'learningRate', description: 'Step size', reference: 'lr' },
        { name: 'trial', reference: '${trialSpec.Name}' },
      ],
      trialSpec: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { labels: { team: 'vision' } },
        spec: {
          template: {
            spec: {
              containers: [
                {
                  name: 'train',
                  image: 'registry.example.com/train:1',
                  args: [
                    '--hidden=${trialParameters.hidden}',
                    '--lr=${trialParameters.learningRate}',
                  ],
                },
              ],
              restartPolicy: 'Never',
            },
          },
        },
      },
    },
    register: {
      modelRef: { name: 'digits' },
      bump: 'minor',
      artifactPath: 'model.onnx',
      when: 'metrics.accuracy >= 0.9',
      alias: { name: 'champion', move: 'IfUnset' },
    },
  },
};

export const deploymentExample: Manifest<typeof deployment> = {
  apiVersion,
  kind: 'Deployment',
  metadata: { name: 'digits' },
  spec: {
    environment: 'production',
    predictor: {
      model: { modelRef: { name: 'digits' }, alias: 'champion' },
      minReplicas: 1,
      maxReplicas: 4,
      autoScaling: {
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
      },
      resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { cpu: 2, memory: '1Gi' } },
      containerConcurrency: 64,
      timeout: '10s',
      batcher: { maxBatchSize: 32, maxLatency: '2ms' },
      logger: { mode: 'all', sampleRate: 1 },
    },
    strategy: {
      canary: {
        steps: [{ setWeight: 10 }, { pause: { duration: '1m' } }, { setWeight: 50 }, { pause: {} }],
        analysis: {
          interval: '30s',
          minimumRequests: 100,
          metrics: [
            { name: 'request-success-rate', thresholdRange: { min: 0.99 } },
            { name: 'request-duration', quantile: 0.99, thresholdRange: { max: 0.1 } },
          ],
        },
        trafficRouting: {
          istio: { gateways: ['istio-system/gateway'], hosts: ['digits.example.com'] },
        },
      },
    },
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    pod: { nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] },
  },
};

export const abTestExample: Manifest<typeof abTest> = {
  apiVersion,
  kind: 'ABTest',
  metadata: { name: 'digits-v2' },
  spec: {
    deploymentRef: { name: 'digits' },
    candidates: [
      { name: 'bigger', version: '1.1.0', weight: 50 },
      { name: 'deeper', version: '1.2.0', weight: 10 },
    ],
    unit: { header: 'x-user-id' },
    metrics: {
      goal: [
        { name: 'conversion', type: 'proportion', direction: 'increase' },
        { name: 'p95', type: 'quantile', quantile: 0.95, direction: 'decrease' },
        {
          name: 'clicks-per-view',
          type: 'ratio',
          numerator: 'clicks',
          denominator: 'views',
          direction: 'increase',
        },
      ],
      guardrails: [
        {
          name: 'request-error-rate',
          type: 'proportion',
          direction: 'decrease',
          margin: { absolute: 0.01 },
        },
        {
          name: 'request-duration',
          type: 'mean',
          direction: 'decrease',
          margin: { relative: 0.2 },
        },
      ],
      secondary: [{ name: 'pages', type: 'mean', direction: 'increase' }],
    },
    alpha: 0.05,
    minimumRuntime: '1h',
    minimumSamples: 1000,
    maximumRuntime: '14d',
    onDecision: 'promote',
  },
};

export const pipelineExample: Manifest<typeof pipeline> = {
  apiVersion,
  kind: 'Pipeline',
  metadata: { name: 'nightly' },
  spec: {
    schedule: '0 2 * * *',
    timeZone: 'Europe/Berlin',
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: 600,
    successfulRunsHistoryLimit: 3,
    failedRunsHistoryLimit: 3,
    suspend: false,
    parallelism: 4,
    parameters: [{ name: 'day', value: 'monday' }],
    tasks: [
      {
        name: 'extract',
        template: {
          container: { image: 'registry.example.com/extract:1', args: ['${item.table}'] },
          pod: { nodeSelector: { disk: 'ssd' } },
        },
        withItems: [{ table: 'a' }, { table: 'b' }, 'plain', 3],
      },
      {
        name: 'train',
        depends: 'extract',
        experiment: { templateRef: { name: 'digits-train' } },
        retryStrategy: { limit: 2, backoff: { duration: '10s', factor: 2 } },
      },
      {
        name: 'report',
        depends: 'train.Succeeded || train.Failed',
        when: '${parameters.day} == monday',
        template: { container: { image: 'registry.example.com/report:1' } },
      },
    ],
  },
};

export const pipelineRunExample: Manifest<typeof pipelineRun> = {
  apiVersion,
  kind: 'PipelineRun',
  metadata: { name: 'nightly-29384750' },
  spec: {
    pipelineRef: { name: 'nightly' },
    pipelineSpec: { tasks: pipelineExample.spec.tasks, parallelism: 2 },
    parameters: [{ name: 'day', value: 'monday' }],
    scheduledTime: '2026-01-01T01:00:00Z',
  },
};

export const retrainPolicyExample: Manifest<typeof retrainPolicy> = {
  apiVersion,
  kind: 'RetrainPolicy',
  metadata: { name: 'digits' },
  spec: {
    deploymentRef: { name: 'digits' },
    triggers: [
      { type: 'performance', metric: 'accuracy', min: 0.9, window: '1h', minimumLabels: 200 },
      { type: 'drift', method: 'psi', threshold: 0.2, window: '1h', share: 0.5 },
      { type: 'schedule', cron: '0 3 * * 0', timeZone: 'Europe/Berlin' },
    ],
    experimentRef: { name: 'digits-train' },
    validation: { champion: true, metrics: [{ name: 'accuracy', min: 0.9 }] },
    rollout: 'canary',
    cooldown: '6h',
    maxRunsPerWeek: 3,
    approval: false,
  },
};

/** All of them, in the order of `kinds`. */
export const exampleManifests = [
  modelExample,
  modelVersionExample,
  modelAliasExample,
  experimentExample,
  pipelineExample,
  pipelineRunExample,
  deploymentExample,
  abTestExample,
  retrainPolicyExample,
] as const;
