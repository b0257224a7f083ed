import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { TOKEN_AUDIENCE } from '../../../crds/schema/names.ts';
import type { Container, EnvironmentVariable, PodSpec, Resources } from '../kubernetes-objects.ts';
import { parseDuration } from '../../../serving-runtime/protocol/duration.ts';
import { foreignStorage, type PodSource } from '../foreign-storage.ts';
import type { ChildDefaults } from '../ports.ts';
import { restrictedPod } from '../restricted-pod.ts';
import { GRPC_PORT, SERVING_PORT } from './names.ts';

export const SERVING_CONTAINER = 'serving';
/** The volume of verified models; one of the user's own, such as a hostPath, is shared by the pods of a node. */
const CACHE = 'cache';

const TOKEN_DIRECTORY = '/var/run/secrets/mlops.pynomaly.io';
const DRAIN_SECONDS = 5;
const FETCH_SECONDS = 600;

/** A pod that serves one version; `spec.pod` passes through wherever we state nothing ourselves. */
export const servingPod = (
  deployment: Deployment,
  version: ModelVersion,
  defaults: ChildDefaults,
): PodSpec => {
  const source = withToken(sourceOf(version, defaults));
  const theirs = (deployment.spec.pod ?? {}) as Partial<PodSpec>;
  return restrictedPod(
    {
      terminationGracePeriodSeconds: graceOf(deployment),
      topologySpreadConstraints: spreadOf(deployment),
      ...theirs,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      containers: [
        servingContainer(deployment, version, source, defaults),
        ...(theirs.containers ?? []).filter(({ name }) => name !== SERVING_CONTAINER),
      ],
      volumes: [
        ...(theirs.volumes ?? []),
        ...(bringsCache(deployment) ? [] : [{ name: CACHE, emptyDir: {} }]),
        ...source.volumes,
      ],
    },
    defaults,
  );
};

const bringsCache = ({ spec }: Deployment): boolean =>
  ((spec.pod ?? {}) as Partial<PodSpec>).volumes?.some(({ name }) => name === CACHE) ?? false;

/** A request may run that long after the pod was told to stop, and some seconds pass before that. */
const graceOf = ({ spec }: Deployment): number =>
  Math.ceil((parseDuration(spec.predictor.timeout) ?? 0) / 1000) + DRAIN_SECONDS + 10;

/** Pods of one Deployment on different nodes where there are some. */
const spreadOf = ({ metadata }: Deployment): readonly unknown[] => [
  {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: { 'mlops.pynomaly.io/deployment': metadata.name } },
  },
];

const servingContainer = (
  deployment: Deployment,
  version: ModelVersion,
  source: PodSource,
  defaults: ChildDefaults,
): Container => {
  const { resources } = deployment.spec.predictor;
  return {
    name: SERVING_CONTAINER,
    image: defaults.servingImage,
    imagePullPolicy: defaults.imagePullPolicy,
    args: ['serve'],
    ports: [
      { name: 'http', containerPort: SERVING_PORT, protocol: 'TCP' },
      { name: 'grpc', containerPort: GRPC_PORT, protocol: 'TCP' },
    ],
    env: [...settingsOf(deployment, version, defaults), ...source.env],
    volumeMounts: [{ name: CACHE, mountPath: '/cache' }, ...source.mounts],
    ...(resources === undefined ? {} : { resources: resources as Resources }),
    ...probes(),
  };
};

/** Fetching and loading may take as long as the start-up probe allows; after that seconds count. */
const probes = () => {
  const get = (path: string) => ({ httpGet: { path, port: 'http' }, timeoutSeconds: 5 });
  return {
    startupProbe: {
      ...get('/v2/health/live'),
      periodSeconds: 2,
      failureThreshold: (FETCH_SECONDS + 60) / 2,
    },
    livenessProbe: { ...get('/v2/health/live'), periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: { ...get('/v2/health/ready'), periodSeconds: 2, failureThreshold: 2 },
  };
};

const settingsOf = (
  deployment: Deployment,
  version: ModelVersion,
  defaults: ChildDefaults,
): readonly EnvironmentVariable[] => {
  const { predictor } = deployment.spec;
  const digest = version.spec.verification?.digest ?? version.status?.digest;
  return [
    { name: 'MLOPS_MODEL_NAME', value: deployment.metadata.name },
    { name: 'MLOPS_MODEL_VERSION', value: version.spec.version },
    ...(digest === undefined ? [] : [{ name: 'MLOPS_MODEL_DIGEST', value: digest }]),
    { name: 'MLOPS_HTTP_PORT', value: String(SERVING_PORT) },
    { name: 'MLOPS_GRPC_PORT', value: String(GRPC_PORT) },
    { name: 'MLOPS_MAX_MODEL_BYTES', value: String(defaults.maxModelBytes) },
    { name: 'MLOPS_TIMEOUT', value: predictor.timeout },
    { name: 'MLOPS_DRAIN_SECONDS', value: String(DRAIN_SECONDS) },
    { name: 'MLOPS_FETCH_SECONDS', value: String(FETCH_SECONDS) },
    { name: 'MLOPS_CONTAINER_CONCURRENCY', value: String(predictor.containerConcurrency) },
    ...(defaults.otlpEndpoint === undefined
      ? []
      : [{ name: 'MLOPS_OTLP_ENDPOINT', value: defaults.otlpEndpoint }]),
    ...(bringsCache(deployment) ? [{ name: 'MLOPS_CACHE_SHARED', value: 'true' }] : []),
    ...executionOf(deployment),
    ...loggingOf(deployment, defaults),
  ];
};

/**
 * Bytes of the bundled store come through the artifact endpoint, with a token for it alone, so that no
 * pod holds the store's credentials; those elsewhere are read from there.
 */
const sourceOf = (version: ModelVersion, defaults: ChildDefaults): PodSource =>
  foreignStorage(version) ?? {
    env: [{ name: 'MLOPS_ARTIFACT_URL', value: artifactUrl(version, defaults) }],
    volumes: [],
    mounts: [],
  };

/** With a token for our API, and for it alone. */
const withToken = ({ env, volumes, mounts }: PodSource): PodSource => ({
  env: [...env, { name: 'MLOPS_TOKEN_FILE', value: `${TOKEN_DIRECTORY}/token` }],
  volumes: [
    ...volumes,
    {
      name: 'mlops-token',
      projected: {
        sources: [
          {
            serviceAccountToken: {
              audience: TOKEN_AUDIENCE,
              expirationSeconds: 3600,
              path: 'token',
            },
          },
        ],
      },
    },
  ],
  mounts: [...mounts, { name: 'mlops-token', mountPath: TOKEN_DIRECTORY, readOnly: true }],
});

const artifactUrl = ({ metadata }: ModelVersion, { apiUrl }: ChildDefaults): string =>
  `${apiUrl}/api/v1/namespaces/${metadata.namespace}/modelversions/${metadata.name}/artifact`;

/** How requests are joined, and when the model rests; nothing where the user does not ask for it. */
const executionOf = ({ spec }: Deployment): readonly EnvironmentVariable[] => {
  const { batcher, circuitBreaker: breaker } = spec.predictor;
  const settings = {
    MLOPS_BATCH_MAX_ROWS: batcher?.maxBatchSize,
    MLOPS_BATCH_MAX_LATENCY: batcher?.maxLatency,
    MLOPS_BREAKER_FAILURE_PERCENT: breaker?.failurePercent,
    MLOPS_BREAKER_MIN_REQUESTS: breaker?.minRequests,
    MLOPS_BREAKER_WINDOW: breaker?.window,
    MLOPS_BREAKER_OPEN_FOR: breaker?.openFor,
  };
  return Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: String(value) }],
  );
};

/** Where the pod sends its sketches, which it always makes, and the requests it logs where the user asks for it. */
const loggingOf = (
  { metadata, spec }: Deployment,
  { apiUrl }: ChildDefaults,
): readonly EnvironmentVariable[] => {
  const { logger } = spec.predictor;
  const of = `${apiUrl}/api/v1/namespaces/${metadata.namespace}/modeldeployments/${metadata.name}`;
  const ingest = { name: 'MLOPS_INGEST_URL', value: `${of}/predictions` };
  if (logger === undefined) return [ingest];
  return [
    ingest,
    { name: 'MLOPS_LOG_MODE', value: logger.mode },
    { name: 'MLOPS_LOG_SAMPLE_RATE', value: String(logger.sampleRate) },
  ];
};
