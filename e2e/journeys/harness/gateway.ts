import { join } from 'node:path';

import { Agent, request, type Dispatcher } from 'undici';

import { readConfig } from '../../cluster/config.ts';
import { installIstio } from '../../cluster/istio/install.ts';
import { createProgress } from '../../cluster/progress.ts';

/** Name of the Gateway object, as VirtualServices and Deployments refer to it. */
export const GATEWAY = 'istio-system/gateway';

/** How long a set-up may take that has Istio built. */
export const ISTIO_BUILD_MS = 30 * 60_000;

export type GatewayAnswer = {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: string;
};

/** Istio's ingress gateway as clients outside of the cluster meet it. */
export class Gateway {
  /** `http://` and the address of the gateway's Service; reachable from the node. */
  readonly url: string;
  readonly #agent = new Agent();

  private constructor(url: string) {
    this.url = url;
  }

  /** Istio's gateway; installs Istio, and builds it before, where that has not happened yet. */
  static async start(): Promise<Gateway> {
    const config = readConfig();
    const progress = createProgress({ timingsFile: join(config.build, 'timings.jsonl') });
    return new Gateway(`http://${await installIstio({ config, progress })}`);
  }

  /** One request for a host that no DNS needs to know; whatever the status is an answer. */
  async ask(
    host: string,
    path: string,
    options: {
      readonly method?: 'GET' | 'POST';
      readonly headers?: Readonly<Record<string, string | string[]>>;
      readonly body?: string;
    } = {},
  ): Promise<GatewayAnswer> {
    const { method = 'GET', headers = {}, body = null } = options;
    const answer = await request(`${this.url}${path}`, {
      method,
      headers: { ...headers, host },
      body,
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(15_000),
    });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: await answer.body.text(),
    };
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }
}
