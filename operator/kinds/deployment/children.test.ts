import { describe, expect, test } from '@jest/globals';

import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { TOKEN_AUDIENCE } from '../../../crds/schema/names.ts';
import { aDeployment } from '../testing/a-deployment.ts';
import { aReadyVersion, DIGEST_A, someDefaults } from '../testing/builders.ts';
import { appsDeployment, horizontalPodAutoscaler } from './children.ts';

const podOf = (
  parts: Parameters<typeof aDeployment>[0] = {},
  version: ModelVersion = aReadyVersion('1.0.0'),
) => {
  const pods = { variant: 'stable', version, replicas: 1, annotations: {} };
  const { spec } = appsDeployment(aDeployment(parts), pods, someDefaults()).spec.template;
  const [serving] = spec.containers;
  if (serving === undefined) throw new Error('no container');
  const env = Object.fromEntries((serving.env ?? []).map(({ name, value }) => [name, value]));
  return { spec, serving, env };
};

describe('a serving pod', () => {
  test('gets its bytes from the artifact endpoint, with a token for it alone', () => {
    const { spec, serving, env } = podOf();
    expect(env).toMatchObject({
      MLOPS_MODEL_NAME: 'digits',
      MLOPS_MODEL_VERSION: '1.0.0',
      MLOPS_MODEL_DIGEST: DIGEST_A,
      MLOPS_ARTIFACT_URL:
        'http://api.mlops-system.svc:8080/api/v1/namespaces/demo/modelversions/digits-1.0.0/artifact',
      MLOPS_TOKEN_FILE: '/var/run/secrets/mlops.pynomaly.io/token',
      MLOPS_TIMEOUT: '30s',
    });
    expect(spec).toMatchObject({ automountServiceAccountToken: false });
    expect(JSON.stringify(spec.volumes)).toContain(`"audience":"${TOKEN_AUDIENCE}"`);
    expect(serving).toMatchObject({
      image: 'registry.example.com/serving:1',
      resources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
      readinessProbe: { httpGet: { path: '/v2/health/ready', port: 'http' } },
    });
  });

  test('outlives the longest request and its drain', () => {
    expect(podOf({ predictor: { timeout: '2m' } }).spec).toMatchObject({
      terminationGracePeriodSeconds: 135,
    });
  });

  test('reads a volume of its namespace itself', () => {
    const version = aReadyVersion('1.0.0', { spec: { storageUri: 'pvc://models/d/model.onnx' } });
    const { spec, env } = podOf({}, version);
    expect(env).toMatchObject({ MLOPS_MODEL_PATH: '/model/d/model.onnx' });
    expect(env).not.toHaveProperty('MLOPS_ARTIFACT_URL');
    expect(spec.volumes).toContainEqual({
      name: 'model',
      persistentVolumeClaim: { claimName: 'models', readOnly: true },
    });
  });

  test('reads an https address itself', () => {
    const storageUri = 'https://models.example.com/model.onnx';
    expect(podOf({}, aReadyVersion('1.0.0', { spec: { storageUri } })).env).toMatchObject({
      MLOPS_MODEL_URL: storageUri,
    });
  });

  test("reads a bucket of the user's own with the user's Secret", () => {
    const storageUri = 's3://mine/model.onnx';
    const version = aReadyVersion('1.0.0', {
      spec: { storageUri, secretRef: { name: 'storage-config' } },
    });
    const { spec, env } = podOf({}, version);
    expect(env).toMatchObject({ MLOPS_MODEL_S3_URI: storageUri });
    expect(env).not.toHaveProperty('MLOPS_ARTIFACT_URL');
    expect(spec.volumes).toContainEqual({
      name: 'mlops-storage',
      secret: { secretName: 'storage-config' },
    });
  });

  test('passes through what the user says about pods', () => {
    const { spec } = podOf({
      pod: {
        nodeSelector: { gpu: 'true' },
        serviceAccountName: 'models',
        imagePullSecrets: [{ name: 'mine' }],
        volumes: [{ name: 'extra', emptyDir: {} }],
        containers: [{ name: 'sidecar', image: 'localhost/sidecar' }],
      },
    });
    expect(spec).toMatchObject({
      nodeSelector: { gpu: 'true' },
      serviceAccountName: 'models',
      imagePullSecrets: [{ name: 'mine' }],
    });
    expect(spec.containers.map(({ name }) => name)).toEqual(['serving', 'sidecar']);
    expect(spec.volumes?.map(({ name }) => name)).toContain('extra');
  });

  test("keeps verified models in a volume of the user's own, which pods of a node share", () => {
    const volume = { name: 'cache', hostPath: { path: '/var/lib/models' } };
    const { spec, env } = podOf({ pod: { volumes: [volume] } });
    expect(spec.volumes?.filter(({ name }) => name === 'cache')).toEqual([volume]);
    expect(env).toMatchObject({ MLOPS_CACHE_SHARED: 'true' });
    expect(podOf().env).not.toHaveProperty('MLOPS_CACHE_SHARED');
  });

  test('always sends sketches of its features to the API, and logs no request unasked', () => {
    const { env } = podOf();
    expect(env).toMatchObject({
      MLOPS_INGEST_URL:
        'http://api.mlops-system.svc:8080/api/v1/namespaces/demo/modeldeployments/digits/predictions',
    });
    expect(env).not.toHaveProperty('MLOPS_LOG_MODE');
  });

  test('sends what it logs to the API, with a token also where its bytes need none', () => {
    const { spec, env } = podOf(
      { predictor: { logger: { mode: 'request', sampleRate: 0.1 } } },
      aReadyVersion('1.0.0', { spec: { storageUri: 'pvc://models/d/model.onnx' } }),
    );
    expect(env).toMatchObject({
      MLOPS_LOG_MODE: 'request',
      MLOPS_LOG_SAMPLE_RATE: '0.1',
      MLOPS_INGEST_URL:
        'http://api.mlops-system.svc:8080/api/v1/namespaces/demo/modeldeployments/digits/predictions',
      MLOPS_TOKEN_FILE: '/var/run/secrets/mlops.pynomaly.io/token',
    });
    expect(spec.volumes?.map(({ name }) => name)).toEqual([
      'cache',
      'model',
      'mlops-token',
      'mlops-tmp',
    ]);
  });

  test('joins requests and rests as the user states', () => {
    const { env } = podOf({
      predictor: {
        batcher: { maxBatchSize: 16, maxLatency: '5ms' },
        circuitBreaker: { failurePercent: 20, minRequests: 50, window: '1m', openFor: '10s' },
      },
    });
    expect(env).toMatchObject({
      MLOPS_BATCH_MAX_ROWS: '16',
      MLOPS_BATCH_MAX_LATENCY: '5ms',
      MLOPS_BREAKER_FAILURE_PERCENT: '20',
      MLOPS_BREAKER_MIN_REQUESTS: '50',
      MLOPS_BREAKER_WINDOW: '1m',
      MLOPS_BREAKER_OPEN_FOR: '10s',
    });
  });

  test('gets the resources and the concurrency the user states', () => {
    const resources = { requests: { cpu: '2' } };
    const { serving, env } = podOf({ predictor: { resources, containerConcurrency: 8 } });
    expect(serving.resources).toEqual(resources);
    expect(env).toMatchObject({ MLOPS_CONTAINER_CONCURRENCY: '8' });
  });

  test("gets the schema's limit of requests at once unless another one is stated", () => {
    expect(podOf().env).toMatchObject({ MLOPS_CONTAINER_CONCURRENCY: '64' });
  });
});

describe('an autoscaler', () => {
  test.each([
    [{ replicas: 3 }, undefined],
    [{ minReplicas: 2, maxReplicas: 2 }, undefined],
    [{}, undefined],
    [{ maxReplicas: 3 }, 1],
    [{ minReplicas: 2, maxReplicas: 3 }, 2],
  ])('for %j starts at %s', (predictor, want) => {
    const made = horizontalPodAutoscaler(aDeployment({ predictor })) as
      { readonly spec: { readonly minReplicas: number } } | undefined;
    expect(made?.spec.minReplicas).toBe(want);
  });

  test('follows the metrics the user states', () => {
    const autoScaling = {
      metrics: [{ type: 'Pods' as const, pods: { metric: { name: 'queue' } } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
    };
    const predictor = { maxReplicas: 3, autoScaling };
    expect(horizontalPodAutoscaler(aDeployment({ predictor }))).toMatchObject({
      spec: autoScaling,
    });
  });
});
