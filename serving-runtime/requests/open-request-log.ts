/** Joins the parts of the request log and of the sketches for a process. */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import type { RequestLogMetrics } from '../telemetry/request-log-metrics.ts';
import { BatchShipper } from './batch-shipper.ts';
import { DiskBuffer } from './disk-buffer.ts';
import { ingestClient } from './ingest-client.ts';
import type { Batch } from './ingest-client.ts';
import { RequestLog } from './request-log.ts';
import type { RequestsConfig } from './requests-config.ts';
import { SketchLog } from '../sketches/sketch-log.ts';

/** Takes every request that has its answer. */
export type RequestSink = Pick<RequestLog, 'record'>;

export type OpenRequestLog = {
  readonly log: RequestSink;
  /** Writes out and sends what there is, for seconds; what cannot be sent stays on disk. */
  readonly close: () => Promise<void>;
};

const flushMs = 1000;
const closeMs = 5000;

/** `undefined` where there is nowhere to send to. */
export async function openRequestLog(
  config: RequestsConfig | undefined,
  place: { readonly cacheDir: string },
  metrics: RequestLogMetrics,
  logger: Logger,
): Promise<OpenRequestLog | undefined> {
  if (config === undefined) return undefined;
  const shipper = await openShipper(config, place.cacheDir, metrics, logger);
  const environment = {
    offer: (batch: Batch) => {
      shipper.offer(batch);
    },
    metrics,
    wallClock: Date.now,
    newId: randomUUID,
    yieldTurn: async () => {
      await nextTurn();
    },
  };
  const { logMode, redact, sampleRate } = config;
  const log =
    logMode === 'none' ? undefined : new RequestLog({ logMode, redact, sampleRate }, environment);
  const sketches = new SketchLog({ redact, random: Math.random }, environment);
  const timers = [
    setInterval(() => void log?.flush(), flushMs).unref(),
    setInterval(() => void sketches.flush(), config.sketchMs).unref(),
  ];
  return {
    log: {
      record: (asked, answered, latencyMs) => {
        log?.record(asked, answered, latencyMs);
        if (answered.exchange !== undefined) sketches.add(answered.exchange);
      },
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await log?.flush();
      await sketches.flush();
      await shipper.stop(AbortSignal.timeout(closeMs));
    },
  };
}

async function openShipper(
  { ingestUrl, tokenFile, bufferBytes }: RequestsConfig,
  cacheDir: string,
  metrics: RequestLogMetrics,
  logger: Logger,
): Promise<BatchShipper> {
  const warn = logger.warn.bind(logger);
  // By address: what was logged for one Deployment never goes to another.
  const key = createHash('sha256').update(ingestUrl).digest('hex').slice(0, 16);
  const shipper = new BatchShipper({
    deliver: ingestClient(ingestUrl, tokenFile),
    disk: await openDisk(join(cacheDir, 'request-log', key), bufferBytes, warn),
    metrics,
    warn,
    random: Math.random,
    pause: async (ms, signal) => {
      await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
    },
  });
  shipper.offer();
  return shipper;
}

async function openDisk(
  folder: string,
  maxBytes: number,
  warn: (fields: Readonly<Record<string, unknown>>, message: string) => void,
): Promise<DiskBuffer | undefined> {
  try {
    return await DiskBuffer.open(folder, maxBytes);
  } catch (error) {
    warn({ error, folder }, 'logged requests cannot be buffered on disk; outages will lose some');
    return undefined;
  }
}
