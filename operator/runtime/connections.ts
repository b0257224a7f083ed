import { createHash } from 'node:crypto';
import { HttpMethod, RequestContext, type KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';

type Tls = Readonly<Partial<Record<'ca' | 'cert' | 'key' | 'pfx', unknown>>>;

/**
 * The credentials of a kubeconfig for one call, with connections that are kept. client-node reads
 * tokens and certificate files anew each time (they rotate), but makes a new pool of connections
 * each time too, so that every call would shake hands again; here the pool stays until the
 * certificates change.
 */
export class Connections {
  readonly #config: KubeConfig;
  #current: { readonly id: string; readonly dispatcher: Dispatcher | undefined } | undefined;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  async credentials(): Promise<{
    readonly headers: Readonly<Record<string, string>>;
    readonly dispatcher: Dispatcher | undefined;
  }> {
    const server = this.#config.getCurrentCluster()?.server ?? '';
    const context = new RequestContext(server, HttpMethod.GET);
    await this.#config.applySecurityAuthentication(context);
    const id = await this.#tlsId();
    if (this.#current?.id !== id) {
      const dispatcher = context.getDispatcher();
      // Calls and streams under way end on the old connections.
      void this.#current?.dispatcher?.close().catch(() => undefined);
      this.#current = { id, dispatcher };
    }
    return { headers: context.getHeaders(), dispatcher: this.#current.dispatcher };
  }

  async #tlsId(): Promise<string> {
    const options: Tls & Record<string, unknown> = {};
    await this.#config.applyToHTTPSOptions(options);
    const hash = createHash('sha256');
    for (const part of ['ca', 'cert', 'key', 'pfx'] as const)
      hash.update(`\0${String(options[part])}`);
    return hash.digest('hex');
  }
}
