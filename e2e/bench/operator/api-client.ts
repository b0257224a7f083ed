import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { Pool } from 'undici';

export type Answer = { readonly code: number; readonly body: unknown };

type Kubeconfig = {
  readonly clusters: readonly [
    {
      readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
    },
  ];
  readonly users: readonly [
    {
      readonly user: {
        readonly 'client-certificate-data': string;
        readonly 'client-key-data': string;
      };
    },
  ];
};

/** The API server answered a call of the benchmark itself with an error. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code = 'CallFailed';
}

/** The benchmark's own calls, as an admin, on as many connections as calls may run at once. */
export class ApiClient {
  readonly #pool: Pool;
  readonly concurrency: number;

  constructor(kubeconfig: string, concurrency: number) {
    const { clusters, users } = load(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
    const { cluster } = clusters[0];
    const { user } = users[0];
    const pem = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
    this.concurrency = concurrency;
    this.#pool = new Pool(cluster.server, {
      // One more, for the watch.
      connections: concurrency + 1,
      bodyTimeout: 0,
      connect: {
        ca: pem(cluster['certificate-authority-data']),
        cert: pem(user['client-certificate-data']),
        key: pem(user['client-key-data']),
      },
    });
  }

  /** @throws CallError unless the answer is a success or one of `expected` */
  async call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    value?: object,
    expected: readonly number[] = [],
  ): Promise<Answer> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const { statusCode, body } = await this.#pool.request({
      method,
      path,
      ...(value !== undefined && {
        headers: { 'content-type': type },
        body: JSON.stringify(value),
      }),
    });
    const text = await body.text();
    if (statusCode >= 300 && !expected.includes(statusCode))
      throw new CallError(`${method} ${path} answered ${statusCode}: ${text.slice(0, 500)}`);
    return { code: statusCode, body: statusCode < 300 ? JSON.parse(text) : undefined };
  }

  /** The lines of a stream, until it ends or the signal aborts. */
  async *lines(path: string, signal: AbortSignal): AsyncIterable<string> {
    const { statusCode, body } = await this.#pool.request({ method: 'GET', path, signal });
    if (statusCode !== 200)
      throw new CallError(`GET ${path} answered ${statusCode}: ${await body.text()}`);
    body.setEncoding('utf8');
    let rest = '';
    for await (const chunk of body as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  }

  /** Runs `work` on each item, as many at once as there are connections. */
  async each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
    const waiting = items.values();
    await Promise.all(
      Array.from({ length: this.concurrency }, async () => {
        for (const item of waiting) await work(item);
      }),
    );
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
