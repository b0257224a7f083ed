import type { z } from 'zod';

import { SETTINGS, type Settings } from './config-settings.ts';
import { faultOf, type LeaseTimes } from './runtime/lease-times.ts';

export type DatabaseConfig =
  | { readonly url: string }
  | { readonly urlFile: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly name: string;
      readonly user: string;
      readonly passwordFile: string | undefined;
      readonly tls: 'disable' | 'require' | 'verify-full';
      readonly caFile: string | undefined;
    };

export type ResourceAmounts = Settings['MLOPS_CHILD_RESOURCES'];

/** The operator's configuration. Secrets appear as paths of files only; times in ms, sizes in bytes. */
export type Config = {
  readonly namespace: string;
  readonly podName: string;
  /** Empty: all namespaces. */
  readonly watchNamespaces: readonly string[];
  readonly apiPort: number;
  readonly healthPort: number;
  /** No trailing slash. */
  readonly apiUrl: string;
  /** Absent: no PostgreSQL was configured. */
  readonly database: DatabaseConfig | undefined;
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    readonly accessKeyFile: string;
    readonly secretKeyFile: string;
    readonly forcePathStyle: boolean;
    readonly presignEndpoint: string;
    readonly presignExpirySeconds: number;
  };
  /** The search service, no trailing slash; absent: there is none. */
  readonly hpoUrl: string | undefined;
  readonly maxArtifactBytes: number;
  /** `true`: any private address may be named in a storage URI; else only these hosts. */
  readonly allowPrivateHosts: true | readonly string[];
  /** Private hosts that canary metrics may be asked of; `true`: any. */
  readonly metricHosts: true | readonly string[];
  /** Private hosts that webhooks may tell, also without TLS; `true`: any. */
  readonly webhookHosts: true | readonly string[];
  readonly servingImage: string;
  readonly inspectImage: string;
  /** Put before images of users' pods that name no registry. */
  readonly imageRegistry: string | undefined;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly imagePullSecrets: readonly string[];
  readonly childResources: ResourceAmounts;
  /** `byKind` is keyed by plural. */
  readonly workers: {
    readonly default: number;
    readonly byKind: Readonly<Record<string, number>>;
  };
  readonly finalizerDeadlineSeconds: number;
  readonly leaderElection: {
    readonly enabled: boolean;
    readonly leaseName: string;
    readonly namespace: string;
    readonly identity: string;
    readonly times: LeaseTimes;
    readonly shards: number;
  };
  readonly spool: { readonly maxEntries: number; readonly maxBytes: number };
  readonly logLevel: Settings['MLOPS_LOG_LEVEL'];
  readonly otlpEndpoint: string | undefined;
};

/** Everything that is wrong with the environment, one sentence each, naming the variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'InvalidConfiguration';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} fault(s):\n${faults.map((f) => `- ${f}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the MLOPS_ variables of `env`; throws ConfigError that names every fault at once. */
export function loadConfig(env: Environment = process.env): Config {
  const { values, faults } = readSettings(env);
  const all = [
    ...unknownVariables(env),
    ...faults,
    ...contradictions(env),
    ...(faults.length === 0 ? leaseFaults(values) : []),
  ];
  if (all.length > 0) throw new ConfigError(all);
  return arrange(values);
}

function readSettings(env: Environment): { values: Settings; faults: string[] } {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, schema] of Object.entries(SETTINGS)) {
    // An empty variable is what templates make of an absent value.
    const result = (schema as z.ZodType).safeParse(env[name] === '' ? undefined : env[name]);
    if (result.success) values[name] = result.data;
    else faults.push(...result.error.issues.map((issue) => `${name}: ${issue.message}`));
  }
  return { values: values as Settings, faults };
}

function unknownVariables(env: Environment): string[] {
  const names = Object.keys(env).filter((name) => name.startsWith('MLOPS_'));
  // Kubernetes adds variables for Services called mlops-… unless enableServiceLinks is false.
  const services = names
    .filter((name) => name.endsWith('_SERVICE_HOST'))
    .map((name) => name.slice(0, -'SERVICE_HOST'.length));
  return names
    .filter((name) => !(name in SETTINGS) && !services.some((prefix) => name.startsWith(prefix)))
    .map((name) => `${name}: there is no such setting; check its spelling or remove it.`);
}

function contradictions(env: Environment): string[] {
  const sources = ['MLOPS_DATABASE_URL', 'MLOPS_DATABASE_URL_FILE', 'MLOPS_DATABASE_HOST'];
  const given = sources.filter((name) => env[name]);
  return given.length < 2 ? [] : [`${given.join(' and ')}: set only one of them.`];
}

function arrange(s: Settings): Config {
  return {
    namespace: s.MLOPS_NAMESPACE,
    podName: s.MLOPS_POD_NAME,
    watchNamespaces: s.MLOPS_WATCH_NAMESPACES,
    apiPort: s.MLOPS_API_PORT,
    healthPort: s.MLOPS_HEALTH_PORT,
    apiUrl: s.MLOPS_API_URL,
    database: databaseOf(s),
    s3: s3Of(s),
    hpoUrl: s.MLOPS_HPO_URL,
    maxArtifactBytes: s.MLOPS_MAX_ARTIFACT_BYTES,
    allowPrivateHosts: s.MLOPS_ALLOW_PRIVATE_HOSTS.includes('*') || s.MLOPS_ALLOW_PRIVATE_HOSTS,
    metricHosts: s.MLOPS_METRIC_HOSTS.includes('*') || s.MLOPS_METRIC_HOSTS,
    webhookHosts: s.MLOPS_WEBHOOK_HOSTS.includes('*') || s.MLOPS_WEBHOOK_HOSTS,
    servingImage: s.MLOPS_SERVING_IMAGE,
    inspectImage: s.MLOPS_INSPECT_IMAGE ?? s.MLOPS_SERVING_IMAGE,
    imageRegistry: s.MLOPS_IMAGE_REGISTRY,
    imagePullPolicy: s.MLOPS_IMAGE_PULL_POLICY,
    imagePullSecrets: s.MLOPS_IMAGE_PULL_SECRETS,
    childResources: s.MLOPS_CHILD_RESOURCES,
    workers: s.MLOPS_WORKERS,
    finalizerDeadlineSeconds: s.MLOPS_FINALIZER_DEADLINE / 1000,
    leaderElection: {
      enabled: s.MLOPS_LEADER_ELECTION,
      leaseName: s.MLOPS_LEASE_NAME,
      namespace: s.MLOPS_NAMESPACE,
      identity: s.MLOPS_POD_NAME,
      times: leaseTimesOf(s),
      shards: s.MLOPS_SHARDS,
    },
    spool: { maxEntries: s.MLOPS_SPOOL_MAX_ENTRIES, maxBytes: s.MLOPS_SPOOL_MAX_BYTES },
    logLevel: s.MLOPS_LOG_LEVEL,
    otlpEndpoint: s.MLOPS_OTLP_ENDPOINT,
  };
}

function leaseTimesOf(s: Settings): LeaseTimes {
  return {
    leaseMs: s.MLOPS_LEASE_DURATION,
    renewDeadlineMs: s.MLOPS_LEASE_RENEW_DEADLINE,
    retryMs: s.MLOPS_LEASE_RETRY_PERIOD,
  };
}

function leaseFaults(s: Settings): string[] {
  const fault = faultOf(leaseTimesOf(s));
  return fault === undefined
    ? []
    : [`MLOPS_LEASE_DURATION, MLOPS_LEASE_RENEW_DEADLINE and MLOPS_LEASE_RETRY_PERIOD: ${fault}`];
}

function databaseOf(s: Settings): DatabaseConfig | undefined {
  if (s.MLOPS_DATABASE_URL !== undefined) return { url: s.MLOPS_DATABASE_URL };
  if (s.MLOPS_DATABASE_URL_FILE !== undefined) return { urlFile: s.MLOPS_DATABASE_URL_FILE };
  if (s.MLOPS_DATABASE_HOST === undefined) return undefined;
  return {
    host: s.MLOPS_DATABASE_HOST,
    port: s.MLOPS_DATABASE_PORT,
    name: s.MLOPS_DATABASE_NAME,
    user: s.MLOPS_DATABASE_USER,
    passwordFile: s.MLOPS_DATABASE_PASSWORD_FILE,
    tls: s.MLOPS_DATABASE_TLS,
    caFile: s.MLOPS_DATABASE_CA_FILE,
  };
}

function s3Of(s: Settings): Config['s3'] {
  return {
    endpoint: s.MLOPS_S3_ENDPOINT,
    region: s.MLOPS_S3_REGION,
    bucket: s.MLOPS_S3_BUCKET,
    accessKeyFile: s.MLOPS_S3_ACCESS_KEY_FILE,
    secretKeyFile: s.MLOPS_S3_SECRET_KEY_FILE,
    forcePathStyle: s.MLOPS_S3_FORCE_PATH_STYLE,
    presignEndpoint: s.MLOPS_S3_PRESIGN_ENDPOINT ?? s.MLOPS_S3_ENDPOINT,
    presignExpirySeconds: Math.ceil(s.MLOPS_S3_PRESIGN_EXPIRY / 1000),
  };
}
