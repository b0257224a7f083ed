import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import type { Clock } from '../runtime/clock.ts';
import { assertAllowed, hostOf, type PrivateHosts } from './guarded-address.ts';

export type HttpRequest = {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  /** Where to connect instead of what DNS says; throws an Error when there is no such place. */
  readonly address?: () => Promise<string>;
};

export type HttpAnswer = { readonly status: number; readonly body: string };

export type GuardedRequest = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

export type GuardOptions = {
  readonly privateHosts: PrivateHosts;
  /** What to do about a private address; by default for metrics. */
  readonly advice?: string;
  /** All addresses of a host; DNS where left out. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
};

const MAX_BYTES = 1024 * 1024;

/**
 * Requests on behalf of users, to public hosts and those the administrator names. The addresses that
 * were checked are those that are connected to, so a second answer of DNS changes nothing. Whatever
 * answers takes at most the request's time and 1 MiB; redirects are not followed, and bodies are not
 * decompressed. Throws an Error with the reason when there is no answer by then.
 */
export const guardedRequest =
  (clock: Clock, options: GuardOptions): GuardedRequest =>
  async (asked, signal) => {
    const late = new AbortController();
    const timer = clock.setTimeout(() => {
      late.abort(new Error(`no answer within ${asked.timeoutMs / 1000} s`));
    }, asked.timeoutMs);
    const until = AbortSignal.any([signal, late.signal]);
    try {
      return await Promise.race([answerOf(asked, options, until), aborted(until)]);
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      clock.clearTimeout(timer);
      // Nothing may go on listening to a signal that lives as long as the operator.
      late.abort();
    }
  };

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

const answerOf = async (
  asked: HttpRequest,
  options: GuardOptions,
  signal: AbortSignal,
): Promise<HttpAnswer> => {
  const url = new URL(asked.url);
  const addresses = await addressesOf(url, asked, options);
  signal.throwIfAborted();
  const dispatcher = new Agent({
    pipelining: 0,
    connect: { timeout: asked.timeoutMs, lookup: always(addresses) },
  });
  try {
    const { method, headers, body = null } = asked;
    const answer = await request(url, { method, headers, body, signal, dispatcher });
    const text = await textOf(answer.body as AsyncIterable<Buffer>);
    const { location } = answer.headers;
    if (location !== undefined && answer.statusCode >= 300 && answer.statusCode < 400) {
      throw new Error(
        `it answered status ${answer.statusCode}, a redirect to ${String(location).slice(0, 200)}; redirects are not followed, so state the address itself`,
      );
    }
    return { status: answer.statusCode, body: text };
  } finally {
    await dispatcher.destroy();
  }
};

const addressesOf = async (
  url: URL,
  { address }: HttpRequest,
  { privateHosts, advice, resolve = resolveAll }: GuardOptions,
): Promise<readonly string[]> => {
  if (address !== undefined) return [await address()];
  const host = hostOf(url);
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  assertAllowed(url, addresses, privateHosts, advice);
  return addresses;
};

const resolveAll = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/** A look-up that knows the answer. */
const always =
  (addresses: readonly string[]): LookupFunction =>
  (_host, { all }, found) => {
    const known = addresses.map((address) => ({ address, family: isIP(address) }));
    if (all === true) found(null, known);
    else found(null, known[0]?.address ?? '', known[0]?.family);
  };

const textOf = async (body: AsyncIterable<Buffer>): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error('its answer is over 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};
