/** Open loop: requests come when they come, over many connections, and not when the server has time. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'undici';
import { quantile } from '../quantile.ts';

export type OpenLoopResult = {
  readonly connections: number;
  /** A second. */
  readonly rate: number;
  /** 200. */
  readonly answered: number;
  /** 429. */
  readonly refused: number;
  /** Anything else. */
  readonly errors: number;
  /** Of those answered, milliseconds from when a request was due. */
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
};

export type OpenLoop = {
  readonly url: string;
  readonly body: string;
  readonly connections: number;
  /** A second. */
  readonly rate: number;
  readonly seconds: number;
};

/** Opens all connections first, each with one request; then the rate, over each connection in turn. */
export const openLoop = async (options: OpenLoop): Promise<OpenLoopResult> => {
  const { connections, rate, seconds } = options;
  const { origin, pathname } = new URL(options.url);
  const body = Buffer.from(options.body);
  const timeouts = { keepAliveTimeout: 600_000, headersTimeout: 60_000, bodyTimeout: 60_000 };
  // One for each connection, so that every one stays open and has its turn.
  const clients = Array.from({ length: connections }, () => new Client(origin, timeouts));
  try {
    for (let i = 0; i < connections; i += 50) {
      await Promise.all(clients.slice(i, i + 50).map((client) => ask(client, pathname, body)));
    }
    await delay(500);
    const took: number[] = [];
    const counts = { answered: 0, refused: 0, errors: 0 };
    const began = performance.now();
    const dueMs = (index: number) => (index * 1000) / rate;
    const one = async (index: number): Promise<void> => {
      const status = await ask(clients[index % connections] as Client, pathname, body);
      if (status === 200) took.push(performance.now() - began - dueMs(index));
      counts[status === 200 ? 'answered' : status === 429 ? 'refused' : 'errors'] += 1;
    };
    const asked: Promise<void>[] = [];
    while (asked.length < rate * seconds) {
      while (asked.length < rate * seconds && dueMs(asked.length) <= performance.now() - began) {
        asked.push(one(asked.length));
      }
      await delay(1);
    }
    await Promise.all(asked);
    const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)];
    return { connections, rate, ...counts, p50, p99, slowest: quantile(took, 1) };
  } finally {
    await Promise.all(clients.map((client) => client.destroy()));
  }
};

/** The status; 0 where there was no answer. The cheapest client there is here, as it shares the processor. */
const ask = (client: Client, path: string, body: Buffer): Promise<number> =>
  new Promise((resolve) => {
    let status = 0;
    const headers = { 'content-type': 'application/json' };
    client.dispatch(
      { path, method: 'POST', headers, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, statusCode) => {
          status = statusCode;
        },
        onResponseData: () => undefined,
        onResponseEnd: () => {
          resolve(status);
        },
        onResponseError: () => {
          resolve(0);
        },
      },
    );
  });
