import { Agent, request } from 'undici';

import { backoffMs } from '../runtime/backoff.ts';
import { pause, type Clock } from '../runtime/clock.ts';
import { SearchEngineError } from './search-engine-error.ts';

export type ServiceAnswer = { readonly status: number; readonly text: string };

export type ServiceRequest = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** From `/v1` on. */
  readonly path: string;
  readonly body?: unknown;
};

export type ServiceConnection = {
  /** Without a trailing slash. */
  readonly url: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
};

const ATTEMPTS = 3;
const ATTEMPT_MS = 20_000;
const DEADLINE_MS = 30_000;
const CONNECT_MS = 3_000;
/** A thousand parameters with long values stay far below. */
const MAX_BYTES = 8 * 1024 * 1024;
const WAIT = { baseMs: 100, maxMs: 2_000 };
/** Said by the service when its database is away or it has too much to do, and by what stands before it. */
const TROUBLE = [429, 502, 503, 504];

/**
 * Sends what may be sent twice: an attempt takes at most 20 s, three of them at most 30 s. Throws
 * SearchEngineError Unavailable when none was answered.
 */
export class ServiceClient {
  readonly #connection: ServiceConnection;
  readonly #closed = new AbortController();
  readonly #dispatcher = new Agent({ connect: { timeout: CONNECT_MS }, connections: 16 });

  constructor(connection: ServiceConnection) {
    this.#connection = connection;
  }

  async send(wanted: ServiceRequest): Promise<ServiceAnswer> {
    const { clock, random, url } = this.#connection;
    const deadline = clock.monotonic() + DEADLINE_MS;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(
        wanted,
        Math.min(ATTEMPT_MS, deadline - clock.monotonic()),
      );
      if (!('trouble' in outcome)) return outcome;
      const wait = backoffMs(attempt, random(), WAIT);
      if (
        attempt === ATTEMPTS ||
        this.#closed.signal.aborted ||
        clock.monotonic() + wait >= deadline
      ) {
        throw new SearchEngineError(
          'Unavailable',
          `The search service at ${url} did not answer ${wanted.method} ${wanted.path}, tried ${attempt} time(s): ${outcome.trouble}`,
          outcome.cause,
        );
      }
      await pause(clock, wait, this.#closed.signal);
    }
  }

  /** Ends what is under way, too. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the operator stops'));
    await this.#dispatcher.destroy();
  }

  async #attempt(
    wanted: ServiceRequest,
    ms: number,
  ): Promise<ServiceAnswer | { readonly trouble: string; readonly cause?: unknown }> {
    const late = new AbortController();
    const timer = this.#connection.clock.setTimeout(
      () => late.abort(new Error(`no answer within ${Math.ceil(ms / 1000)} s`)),
      ms,
    );
    try {
      const answer = await this.#once(wanted, late.signal);
      return TROUBLE.includes(answer.status)
        ? { trouble: `status ${answer.status}: ${answer.text.slice(0, 500)}` }
        : answer;
    } catch (error) {
      const cause: unknown = late.signal.aborted ? late.signal.reason : error;
      return { trouble: String((cause as Partial<Error>).message || cause), cause };
    } finally {
      this.#connection.clock.clearTimeout(timer);
    }
  }

  async #once({ method, path, body }: ServiceRequest, signal: AbortSignal): Promise<ServiceAnswer> {
    const answer = await request(`${this.#connection.url}${path}`, {
      method,
      signal,
      dispatcher: this.#dispatcher,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) throw new Error('its answer is over 8 MiB');
      chunks.push(chunk);
    }
    return { status: answer.statusCode, text: Buffer.concat(chunks).toString('utf8') };
  }
}
