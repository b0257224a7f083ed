/** Open loop: requests come when they come, over very many connections, and not when the server has time. */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export type OpenLoopResult = {
  readonly connections: number;
  readonly sent: number;
  readonly errors: number;
  /** Milliseconds from when a request was due. */
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
  const ask = (agent: Agent): Promise<boolean> =>
    new Promise((resolve) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const asked = request(url, { method: 'POST', agent, headers }, (response) => {
        response.resume().once('end', () => {
          resolve(response.statusCode === 200);
        });
      });
      asked.once('error', () => {
        resolve(false);
      });
      asked.end(body);
    });
  try {
    let errors = 0;
    for (let i = 0; i < connections; i += 50) {
      const opened = await Promise.all(agents.slice(i, i + 50).map(ask));
      errors += opened.filter((ok) => !ok).length;
    }
    await delay(500);
    const took: number[] = [];
    const began = performance.now();
    const dueMs = (index: number) => (index * 1000) / rate;
    const one = async (index: number): Promise<void> => {
      const ok = await ask(agents[index % connections] as Agent);
      took.push(performance.now() - began - dueMs(index));
      if (!ok) errors += 1;
    };
    const asked: Promise<void>[] = [];
    while (asked.length < rate * seconds) {
      while (asked.length < rate * seconds && dueMs(asked.length) <= performance.now() - began) {
        asked.push(one(asked.length));
      }
      await delay(1);
    }
    await Promise.all(asked);
    took.sort((a, b) => a - b);
    const at = (share: number) => took[Math.floor(took.length * share)] ?? 0;
    return {
      connections,
      sent: took.length,
      errors,
      p50: at(0.5),
      p99: at(0.99),
      slowest: took.at(-1) ?? 0,
    };
  } finally {
    for (const agent of agents) agent.destroy();
  }
};
