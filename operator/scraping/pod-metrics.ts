import { isIP, isIPv6 } from 'node:net';
import { Agent, request } from 'undici';
import type { Clock } from '../runtime/clock.ts';

export type PodAddress = {
  readonly uid: string;
  readonly name: string;
  readonly ip: string;
  readonly port: number;
};

/** The runtime answers some 30 KB. */
const MAX_BYTES = 1024 * 1024;
const TIMEOUT_MS = 2_000;

/** Asks pods for the text of their /metrics; connections are not kept, as the next call is long off. */
export class PodMetrics {
  readonly #clock: Clock;
  readonly #dispatcher = new Agent({ pipelining: 0, connect: { timeout: TIMEOUT_MS } });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Whatever is behind the address, it takes at most 2 s and 1 MiB: throws an Error with the reason
   * when there is no answer of status 200 by then. Redirects are not followed, and bodies are not
   * decompressed, which would let a small answer grow.
   */
  async text(pod: PodAddress, signal: AbortSignal): Promise<string> {
    const late = new AbortController();
    const timer = this.#clock.setTimeout(() => {
      late.abort(new Error(`no answer within ${TIMEOUT_MS / 1000} s`));
    }, TIMEOUT_MS);
    try {
      return await this.#get(urlOf(pod), AbortSignal.any([signal, late.signal]));
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  async #get(url: string, signal: AbortSignal): Promise<string> {
    const { statusCode, body } = await request(url, { signal, dispatcher: this.#dispatcher });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) throw new Error('its answer is over 1 MiB');
      chunks.push(chunk);
    }
    if (statusCode !== 200) throw new Error(`it answered status ${statusCode}, not 200`);
    return Buffer.concat(chunks).toString('utf8');
  }
}

const urlOf = ({ ip, port }: PodAddress): string => {
  if (isIP(ip) === 0) throw new Error(`its address must be an IP, not ${JSON.stringify(ip)}`);
  return `http://${isIPv6(ip) ? `[${ip}]` : ip}:${port}/metrics`;
};
