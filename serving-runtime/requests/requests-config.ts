/** Settings of what is kept of requests. */
import { z } from 'zod';
import { parseDuration } from '../protocol/duration.ts';
import { httpUrl, share } from '../setting-types.ts';

export type RequestsConfig = {
  /** Which half of a request is logged; `none`: nothing of it. */
  readonly logMode: LogMode;
  /** Share of the requests that is logged, 0 to 1. */
  readonly sampleRate: number;
  /** Inputs whose values are not logged. */
  readonly redact: ReadonlySet<string>;
  /** How long the values of all requests are summed up before the sketches are sent. */
  readonly sketchMs: number;
  readonly ingestUrl: string;
  /** The bearer token for it; `undefined`: none is sent. */
  readonly tokenFile: string | undefined;
  /** Room on disk for what could not be handed in yet. */
  readonly bufferBytes: number;
};

const modes = ['none', 'all', 'request', 'response'] as const;
export type LogMode = (typeof modes)[number];

/** The part of the environment that is read here. */
export const requestVariables = {
  MLOPS_LOG_MODE: z.enum(modes).default('none'),
  MLOPS_LOG_SAMPLE_RATE: share.default(1),
  MLOPS_LOG_REDACT: z
    .string()
    .transform((names) => new Set(names.split(',').filter((name) => name !== '')))
    .default(new Set<string>()),
  MLOPS_LOG_BUFFER_BYTES: z
    .string()
    .regex(/^[0-9]{1,15}$/, 'is not a whole number')
    .transform(Number)
    .default(256 * 1024 * 1024),
  MLOPS_SKETCH_WINDOW: z
    .string()
    .default('1m')
    .transform((value, context) => {
      const ms = parseDuration(value) ?? 0;
      if (ms >= 1000 && ms <= 86_400_000) return ms;
      context.addIssue({ code: 'custom', message: 'is not a duration from 1s to 24h' });
      return z.NEVER;
    }),
  MLOPS_INGEST_URL: httpUrl.optional(),
};

type Variables = z.infer<z.ZodObject<typeof requestVariables>>;

/** `undefined` where there is nowhere to send to. Adds to `faults`. */
export function readRequestsConfig(
  values: Variables,
  tokenFile: string | undefined,
  faults: string[],
): RequestsConfig | undefined {
  const ingestUrl = values.MLOPS_INGEST_URL;
  if (ingestUrl === undefined) {
    if (values.MLOPS_LOG_MODE !== 'none') {
      faults.push('MLOPS_INGEST_URL is missing: MLOPS_LOG_MODE asks for requests to be sent there');
    }
    return undefined;
  }
  return {
    logMode: values.MLOPS_LOG_MODE,
    sampleRate: values.MLOPS_LOG_SAMPLE_RATE,
    sketchMs: values.MLOPS_SKETCH_WINDOW,
    redact: values.MLOPS_LOG_REDACT,
    ingestUrl,
    tokenFile,
    bufferBytes: values.MLOPS_LOG_BUFFER_BYTES,
  };
}
