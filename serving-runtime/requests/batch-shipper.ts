/** Gets batches to the ingest endpoint, in order, over its outages. */
import type { DiskBuffer, Segment } from './disk-buffer.ts';
import type { Batch, Deliver, Delivery } from './ingest-client.ts';
import type { RequestLogMetrics } from '../telemetry/request-log-metrics.ts';

export type ShipperEnvironment = {
  readonly deliver: Deliver;
  /** `undefined`: there is no disk; what does not fit into memory is dropped. */
  readonly disk: DiskBuffer | undefined;
  readonly metrics: RequestLogMetrics;
  readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly random: () => number;
  /** Resolves after `ms`, or as soon as the signal aborts; never rejects. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** Batches that wait in memory while the endpoint answers; further ones go to disk. */
const maxInMemory = 8;
/** Those that come while one attempt is under way; what is over this is dropped. */
const maxOffered = 64;
const firstBackoffMs = 500;
const maxBackoffMs = 60_000;

type Unavailable = Extract<Delivery, { outcome: 'unavailable' }>;

/** One at a time. What it takes over is counted in the end: shipped, or dropped for a reason. */
export class BatchShipper {
  readonly #environment: ShipperEnvironment;
  readonly #memory: Batch[] = [];
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #offered = Promise.withResolvers<boolean>();
  #failures = 0;

  constructor(environment: ShipperEnvironment) {
    this.#environment = environment;
    this.#reportDisk();
  }

  /** Takes a batch over; also starts on what an earlier process left on disk. */
  offer(...batches: readonly Batch[]): void {
    for (const batch of batches) {
      if (this.#memory.length < maxOffered) this.#memory.push(batch);
      else this.#environment.metrics.dropped('memory_full', batch.records);
    }
    this.#offered.resolve(true);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // One that came while the last one was ending.
      if (this.#memory.length > 0 && !this.#stopping.signal.aborted) this.offer();
    });
  }

  /** Sends what there is, once, until the signal aborts; the rest goes to disk for the next process. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    while (!deadline.aborted && this.#hasWork()) {
      if ((await this.#shipNext(deadline)) !== undefined) break;
    }
    await this.#spill(0);
    const left = this.#environment.disk?.records ?? 0;
    if (left > 0) {
      this.#environment.warn({ records: left }, 'logged requests are left on disk unsent');
    }
    // Without a disk they end with the process.
    for (const { records } of this.#memory.splice(0)) {
      this.#environment.metrics.dropped('memory_full', records);
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#hasWork()) {
      const unavailable = await this.#shipNext(signal);
      if (unavailable !== undefined) await this.#wait(unavailable, signal);
    }
  }

  #hasWork(): boolean {
    return this.#memory.length > 0 || this.#environment.disk?.oldest !== undefined;
  }

  /** The oldest batch; says why where it has to wait. */
  async #shipNext(signal: AbortSignal): Promise<Unavailable | undefined> {
    await this.#spill(maxInMemory);
    const segment = this.#environment.disk?.oldest;
    const batch = segment === undefined ? this.#memory[0] : await this.#load(segment);
    if (batch === undefined) return undefined;
    const delivery = await this.#environment.deliver(batch, signal);
    if (delivery.outcome === 'unavailable') return delivery;
    this.#count(delivery, batch);
    if (segment === undefined) this.#memory.shift();
    else await this.#environment.disk?.remove(segment);
    this.#reportDisk();
    return undefined;
  }

  async #load(segment: Segment): Promise<Batch | undefined> {
    try {
      return await this.#environment.disk?.read(segment);
    } catch (error) {
      this.#environment.warn({ error }, 'a batch of logged requests on disk cannot be read');
      this.#environment.metrics.dropped('disk_error', segment.records);
      await this.#environment.disk?.remove(segment);
      return undefined;
    }
  }

  #count(delivery: Exclude<Delivery, { outcome: 'unavailable' }>, batch: Batch): void {
    this.#failures = 0;
    if (delivery.outcome === 'taken') {
      this.#environment.metrics.shipped(batch.records);
      return;
    }
    this.#environment.metrics.dropped('refused', batch.records);
    this.#environment.warn(
      { records: batch.records, reason: delivery.reason },
      'a batch of logged requests was refused',
    );
  }

  /**
   * What comes meanwhile goes to disk at once. Full jitter, on top of what the endpoint asked for:
   * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
   */
  async #wait({ reason, retryAfterMs = 0 }: Unavailable, signal: AbortSignal): Promise<void> {
    const { metrics, pause, random, warn } = this.#environment;
    if (signal.aborted) return;
    metrics.deliveryFailed();
    if (this.#failures === 0) warn({ reason }, 'logged requests cannot be handed in; retrying');
    const ceiling = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    const waited = pause(retryAfterMs + random() * ceiling, signal).then(() => false);
    do {
      this.#offered = Promise.withResolvers<boolean>();
      await this.#spill(0);
    } while (await Promise.race([waited, this.#offered.promise]));
  }

  /** Once more than `keep` wait in memory, all of them go to disk, the oldest first so that the order stays. */
  async #spill(keep: number): Promise<void> {
    const { disk, metrics, warn } = this.#environment;
    if (this.#memory.length <= keep) return;
    while (this.#memory.length > 0) {
      // Without a disk the newest stay in memory, as many as may.
      if (disk === undefined && this.#memory.length <= maxInMemory) return;
      const batch = this.#memory.shift();
      if (batch === undefined) return;
      if (disk === undefined) {
        metrics.dropped('memory_full', batch.records);
        continue;
      }
      try {
        metrics.dropped('disk_full', await disk.write(batch));
      } catch (error) {
        warn({ error }, 'a batch of logged requests cannot be written to disk');
        metrics.dropped('disk_error', batch.records);
      }
    }
    this.#reportDisk();
  }

  #reportDisk(): void {
    this.#environment.metrics.onDisk(this.#environment.disk?.bytes ?? 0);
  }
}
