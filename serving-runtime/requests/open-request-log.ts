/** Joins the parts of the request log for a process. */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import type { RequestLogMetrics } from '../telemetry/request-log-metrics.ts';
import { BatchShipper } from './batch-shipper.ts';
import { DiskBuffer } from './disk-buffer.ts';
import { ingestClient } from './ingest-client.ts';
import { RequestLog } from './request-log.ts';
import type { RequestsConfig } from './requests-config.ts';

export type OpenRequestLog = {
  readonly log: RequestLog;
  /** Writes out and sends what there is, for seconds; what cannot be sent stays on disk. */
  readonly close: () => Promise<void>;
};

const flushMs = 1000;
const closeMs = 5000;

/** `undefined` where nothing is to be logged. */
export async function openRequestLog(
  config: RequestsConfig | undefined,
  place: { readonly cacheDir: string; readonly version: string },
  metrics: RequestLogMetrics,
  logger: Logger,
): Promise<OpenRequestLog | undefined> {
  if (config === undefined || config.logMode === 'none') return undefined;
  const { ingestUrl, tokenFile, bufferBytes, logMode, redact, sampleRate } = config;
  const warn = logger.warn.bind(logger);
  // By address: what was logged for one Deployment never goes to another.
  const key = createHash('sha256').update(ingestUrl).digest('hex').slice(0, 16);
  const disk = await openDisk(join(place.cacheDir, 'request-log', key), bufferBytes, warn);
  const shipper = new BatchShipper({
    deliver: ingestClient(ingestUrl, tokenFile),
    disk,
    metrics,
    warn,
    random: Math.random,
    pause: async (ms, signal) => {
      await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
    },
  });
  shipper.offer();
  const log = new RequestLog(
    { version: place.version, logMode, redact, sampleRate },
    {
      offer: (batch) => {
        shipper.offer(batch);
      },
      metrics,
      wallClock: Date.now,
      newId: randomUUID,
      yieldTurn: async () => {
        await nextTurn();
      },
    },
  );
  const timer = setInterval(() => void log.flush(), flushMs).unref();
  return {
    log,
    close: async () => {
      clearInterval(timer);
      await log.flush();
      await shipper.stop(AbortSignal.timeout(closeMs));
    },
  };
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
