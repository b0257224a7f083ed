/** The runtime's settings: the only reader of the environment. Every fault is reported at once. */
import { z } from 'zod';
import type { ModelSource } from './fetching/source-setting.ts';
import { parseSource } from './fetching/source-setting.ts';
import { executionVariables, readExecution } from './inference/execution-config.ts';
import type { ExecutionSettings } from './inference/served-model.ts';
import { ModelFailure } from './model-failure.ts';
import { isDigest } from './protocol/artifact-grant.ts';
import { parseDuration } from './protocol/duration.ts';
import { httpUrl, share } from './setting-types.ts';
import type { ReadSource } from './repository/catalog-file.ts';
import type { ModelControl } from './repository/repository-api.ts';
import type { RequestsConfig } from './requests/requests-config.ts';
import { readRequestsConfig, requestVariables } from './requests/requests-config.ts';

export type Config = {
  readonly model: string;
  readonly version: string;
  /** `undefined` only where nothing is served (inspect), and where a file lists the models. */
  readonly digest: string | undefined;
  readonly source: ModelSource | undefined;
  /** Lists the models instead of the four above. */
  readonly modelsFile?: string | undefined;
  readonly modelControl: ModelControl;
  readonly httpPort: number;
  readonly metricsPort: number;
  /** `undefined`: no gRPC. */
  readonly grpcPort?: number | undefined;
  readonly cacheDir: string;
  /** Other processes read it, too: nothing that is whole is removed. */
  readonly isCacheShared?: boolean;
  readonly maxModelBytes: number;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
  readonly containerConcurrency: number;
  readonly queueSize: number;
  readonly drainMs: number;
  readonly fetchMs: number;
  readonly terminationLog: string;
  readonly logLevel: string;
  /** Where traces go; `undefined`: nowhere. */
  readonly otlp?: { readonly endpoint: string; readonly sampleRate: number } | undefined;
  readonly execution: ExecutionSettings;
  /** What is kept of requests; `undefined`: nothing. */
  readonly requests?: RequestsConfig | undefined;
};

export type Mode = 'serve' | 'inspect';

const gibibyte = 1024 ** 3;
const mebibyte = 1024 ** 2;

const count = z
  .string()
  .regex(/^[0-9]+$/, 'is not a whole number')
  .transform(Number)
  .refine(Number.isSafeInteger, 'is too large');
const positive = count.refine((value) => value > 0, 'must be at least 1');
const port = count.refine((value) => value <= 65_535, 'is not a port (0 to 65535)');
const text = z.string().min(1, 'is empty');
const duration = z.string().transform((value, context) => {
  const milliseconds = parseDuration(value);
  if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
  context.addIssue({ code: 'custom', message: 'is not a duration such as 10s or 1m30s' });
  return z.NEVER;
});
const digest = z.string().refine(isDigest, 'is not sha256: and 64 lower-case hexadecimal digits');

const variables = {
  MLOPS_MODEL_NAME: text.optional(),
  MLOPS_MODEL_VERSION: text.optional(),
  MLOPS_MODEL_DIGEST: digest.optional(),
  MLOPS_MODEL_SOURCE: text.optional(),
  MLOPS_MODELS_FILE: text.optional(),
  MLOPS_MODEL_CONTROL: z.enum(['none', 'explicit']).default('none'),
  MLOPS_ARTIFACT_URL: httpUrl.optional(),
  MLOPS_MODEL_URL: httpUrl.optional(),
  MLOPS_MODEL_PATH: text.optional(),
  MLOPS_MODEL_S3_URI: text.optional(),
  MLOPS_TOKEN_FILE: text.optional(),
  MLOPS_S3_CREDENTIALS_DIR: text.optional(),
  MLOPS_HTTP_PORT: port.default(8080),
  MLOPS_METRICS_PORT: port.optional(),
  MLOPS_GRPC_PORT: port.optional(),
  MLOPS_CACHE_DIR: text.default('/cache'),
  MLOPS_CACHE_SHARED: z.enum(['true', 'false']).default('false'),
  MLOPS_MAX_MODEL_BYTES: positive.default(gibibyte),
  MLOPS_MAX_BODY_BYTES: positive.default(64 * mebibyte),
  MLOPS_TIMEOUT: duration.default(60_000),
  MLOPS_CONTAINER_CONCURRENCY: positive.default(64),
  MLOPS_QUEUE_SIZE: count.optional(),
  MLOPS_DRAIN_SECONDS: count.default(5),
  MLOPS_FETCH_SECONDS: positive.default(600),
  MLOPS_TERMINATION_LOG: text.default('/dev/termination-log'),
  MLOPS_OTLP_ENDPOINT: httpUrl.optional(),
  MLOPS_TRACE_SAMPLE_RATE: share.default(0.01),
  ...executionVariables,
  ...requestVariables,
  MLOPS_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
};

type SourceVariables = {
  readonly MLOPS_TOKEN_FILE?: string | undefined;
  readonly MLOPS_S3_CREDENTIALS_DIR?: string | undefined;
};

export type Environment = Readonly<Record<string, string | undefined>>;
type Variables = z.infer<z.ZodObject<typeof variables>>;

/** The environment of this process. */
export function readEnvironment(): Environment {
  return process.env;
}

/** What to do, from the command line; nothing means serve. Throws ModelFailure `InvalidConfig`. */
export function readMode(commands: readonly string[]): Mode {
  const [mode = 'serve', ...more] = commands;
  if ((mode === 'serve' || mode === 'inspect') && more.length === 0) return mode;
  throw new ModelFailure(
    'InvalidConfig',
    `the command is "${commands.join(' ')}"; give serve, inspect or nothing`,
  );
}

/** Where failures go, known even when everything else in the environment is wrong. */
export function terminationLogPath(environment: Environment): string {
  return environment['MLOPS_TERMINATION_LOG'] ?? '/dev/termination-log';
}

/** Reads and checks the settings. Throws ModelFailure `InvalidConfig` listing every fault. */
export function readConfig(mode: Mode, environment: Environment): Config {
  const ours = Object.fromEntries(Object.entries(environment).filter(([name]) => isSetting(name)));
  const faults = Object.keys(ours)
    .filter((name) => !Object.hasOwn(variables, name))
    .map((name) => `${name} is not a setting of this runtime`);
  const parsed = z.object(variables).safeParse(ours);
  if (!parsed.success) {
    faults.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`));
    throw invalid(faults);
  }
  const isListed = mode === 'serve' && parsed.data.MLOPS_MODELS_FILE !== undefined;
  const source = isListed ? undefined : readSource(parsed.data, faults);
  if (isListed) faults.push(...besideFile(parsed.data));
  else if (mode === 'serve') faults.push(...missingForServing(parsed.data));
  const requests = readRequestsConfig(parsed.data, parsed.data.MLOPS_TOKEN_FILE, faults);
  if (faults.length > 0) throw invalid(faults);
  return { ...toConfig(parsed.data, source), requests };
}

/** Reads one source as MLOPS_MODEL_SOURCE has it, with the other settings of this process. */
export function sourceReader({
  MLOPS_TOKEN_FILE: tokenFile,
  MLOPS_S3_CREDENTIALS_DIR: credentialsDir,
}: SourceVariables): ReadSource {
  const settings = { tokenFile, credentialsDir };
  return (value, faults) => parseSource(value, settings, faults);
}

/**
 * Ours by prefix, except what Kubernetes itself adds for a Service named mlops-…: host, port and the
 * old Docker link variables.
 */
function isSetting(name: string): boolean {
  if (!name.startsWith('MLOPS_')) return false;
  if (Object.hasOwn(variables, name)) return true;
  return !/_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/.test(
    name,
  );
}

function invalid(faults: readonly string[]): ModelFailure {
  return new ModelFailure(
    'InvalidConfig',
    `the environment has ${String(faults.length)} fault(s): ${faults.join('; ')}`,
  );
}

const identity = ['MLOPS_MODEL_NAME', 'MLOPS_MODEL_VERSION', 'MLOPS_MODEL_DIGEST'] as const;
const sources = [
  'MLOPS_ARTIFACT_URL',
  'MLOPS_MODEL_URL',
  'MLOPS_MODEL_PATH',
  'MLOPS_MODEL_S3_URI',
  'MLOPS_MODEL_SOURCE',
] as const;

function missingForServing(values: Variables): readonly string[] {
  const control = values.MLOPS_MODEL_CONTROL === 'none' ? [] : ['MLOPS_MODELS_FILE'];
  const required = [...identity.filter((name) => values[name] === undefined), ...control];
  return required.map((name) => `${name} is missing`);
}

function besideFile(values: Variables): readonly string[] {
  return [...identity, ...sources]
    .filter((name) => values[name] !== undefined)
    .map((name) => `${name} cannot be set beside MLOPS_MODELS_FILE, which lists the models`);
}

function readSource(values: Variables, faults: string[]): ModelSource | undefined {
  const artifact = values.MLOPS_ARTIFACT_URL;
  const candidates = sources
    .map((name) =>
      name === 'MLOPS_ARTIFACT_URL' ? artifact && `artifact+${artifact}` : values[name],
    )
    .filter((candidate) => candidate !== undefined);
  if (candidates.length !== 1) {
    faults.push(
      `exactly one of ${sources.slice(0, -1).join(', ')} and MLOPS_MODEL_SOURCE must be set`,
    );
  }
  const read = sourceReader(values);
  return candidates.map((candidate) => read(candidate, faults))[0];
}

function toConfig(values: Variables, source: ModelSource | undefined): Config {
  return {
    source,
    model: values.MLOPS_MODEL_NAME ?? 'model',
    version: values.MLOPS_MODEL_VERSION ?? '0.0.0',
    digest: values.MLOPS_MODEL_DIGEST,
    modelsFile: values.MLOPS_MODELS_FILE,
    modelControl: values.MLOPS_MODEL_CONTROL,
    httpPort: values.MLOPS_HTTP_PORT,
    metricsPort: values.MLOPS_METRICS_PORT ?? values.MLOPS_HTTP_PORT,
    grpcPort: values.MLOPS_GRPC_PORT,
    cacheDir: values.MLOPS_CACHE_DIR,
    isCacheShared: values.MLOPS_CACHE_SHARED === 'true',
    maxModelBytes: values.MLOPS_MAX_MODEL_BYTES,
    maxBodyBytes: values.MLOPS_MAX_BODY_BYTES,
    timeoutMs: values.MLOPS_TIMEOUT,
    containerConcurrency: values.MLOPS_CONTAINER_CONCURRENCY,
    queueSize: values.MLOPS_QUEUE_SIZE ?? 4 * values.MLOPS_CONTAINER_CONCURRENCY,
    execution: readExecution(values),
    drainMs: values.MLOPS_DRAIN_SECONDS * 1000,
    fetchMs: values.MLOPS_FETCH_SECONDS * 1000,
    terminationLog: values.MLOPS_TERMINATION_LOG,
    logLevel: values.MLOPS_LOG_LEVEL,
    otlp:
      values.MLOPS_OTLP_ENDPOINT === undefined
        ? undefined
        : { endpoint: values.MLOPS_OTLP_ENDPOINT, sampleRate: values.MLOPS_TRACE_SAMPLE_RATE },
  };
}
