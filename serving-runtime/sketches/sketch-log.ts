/** Sketches of all requests, handed over window by window. */
import type { ModelIdentity } from '../model-identity.ts';
import type { Exchange } from '../requests/encode-record.ts';
import type { Batch } from '../requests/ingest-client.ts';
import { sealBatch, splitLines } from '../requests/seal-batch.ts';
import type { RequestLogMetrics } from '../telemetry/request-log-metrics.ts';
import type { WindowOptions } from './window.ts';
import { SketchWindow } from './window.ts';

export type SketchEnvironment = {
  readonly offer: (batch: Batch) => void;
  readonly metrics: Pick<RequestLogMetrics, 'taken'>;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly newId: () => string;
};

export class SketchLog {
  readonly #options: WindowOptions;
  readonly #environment: SketchEnvironment;
  /** By version that answered. */
  #windows = new Map<ModelIdentity, SketchWindow>();
  #start: number;

  constructor(options: WindowOptions, environment: SketchEnvironment) {
    this.#options = options;
    this.#environment = environment;
    this.#start = environment.wallClock();
  }

  add(exchange: Exchange): void {
    let window = this.#windows.get(exchange.of);
    if (window === undefined) {
      window = new SketchWindow(exchange.of, this.#options);
      this.#windows.set(exchange.of, window);
    }
    window.add(exchange);
  }

  /** Ends the window, begins the next and hands over what the first one saw. */
  async flush(): Promise<void> {
    const { wallClock, metrics, newId, offer } = this.#environment;
    const end = wallClock();
    const lines = Array.from(this.#windows.values(), (window) => window.records(this.#start, end))
      .flat()
      .map((record) => JSON.stringify(record));
    this.#windows = new Map();
    this.#start = end;
    for (let i = 0; i < lines.length; i++) metrics.taken();
    for (const part of splitLines(lines)) offer(await sealBatch(newId(), part));
  }
}
