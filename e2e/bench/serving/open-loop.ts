/** Open loop: requests come when they come, over many connections, and not when the server has time. */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
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
  const { url, body, connections, rate, seconds } = options;
  // An agent of its own for each, so that every connection stays open and has its turn.
  const agents = Array.from(
    { length: connections },
    () => new Agent({ keepAlive: true, maxSockets: 1 }),
  );
  try {
    for (let i = 0; i < connections; i += 50) {
      await Promise.all(agents.slice(i, i + 50).map((agent) => ask(agent, url, body)));
    }
    await delay(500);
    const took: number[] = [];
    const counts = { answered: 0, refused: 0, errors: 0 };
    const began = performance.now();
    const dueMs = (index: number) => (index * 1000) / rate;
    const one = async (index: number): Promise<void> => {
      const status = await ask(agents[index % connections] as Agent, url, body);
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
    for (const agent of agents) agent.destroy();
  }
};

/** The status; 0 where there was no answer. */
const ask = (agent: Agent, url: string, body: string): Promise<number> =>
  new Promise((resolve) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const asked = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().once('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
    asked.once('error', () => {
      resolve(0);
    });
    asked.end(body);
  });
