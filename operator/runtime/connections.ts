import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { HttpMethod, RequestContext, type KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher } from 'undici';

export type Credentials = {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher | undefined;
};

/** What of a kubeconfig's settings makes another connection. */
const TLS = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'] as const;
/** So long credentials are used before their files are read again. */
const FRESH_MS = 1_000;

/**
 * The credentials of a kubeconfig for one call, with connections that are kept. client-node reads
 * tokens and certificate files anew each time (they rotate), which is done once a second here, but
 * makes a new pool of connections each time too, so that every call would shake hands again; here
 * the pool stays until the certificates change.
 */
export class Connections {
  readonly #config: KubeConfig;
  #current: { readonly id: string; readonly dispatcher: Dispatcher | undefined } | undefined;
  #read: { readonly at: number; readonly credentials: Promise<Credentials> } | undefined;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  credentials(): Promise<Credentials> {
    const now = performance.now();
    const known = this.#read;
    if (known !== undefined && now - known.at < FRESH_MS) return known.credentials;
    const read = { at: now, credentials: this.#readAgain() };
    this.#read = read;
    // What could not be read is tried again by the next call.
    read.credentials.catch(() => {
      if (this.#read === read) this.#read = undefined;
    });
    return read.credentials;
  }

  async #readAgain(): Promise<Credentials> {
    const server = this.#config.getCurrentCluster()?.server ?? '';
    const context = new RequestContext(server, HttpMethod.GET);
    await this.#config.applySecurityAuthentication(context);
    const tls: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(tls);
    const id = idOf(tls);
    if (this.#current?.id !== id) {
      // Calls and streams under way end on the old connections.
      void this.#current?.dispatcher?.close().catch(() => undefined);
      this.#current = { id, dispatcher: this.#dispatcher(context, tls) };
    }
    return { headers: context.getHeaders(), dispatcher: this.#current.dispatcher };
  }

  /**
   * client-node's own where a proxy stands between, which it knows how to pass. Else connections of
   * HTTP/1.1: one call at a time each, and half as dear as HTTP/2 for the small calls made here.
   */
  #dispatcher(context: RequestContext, tls: RequestOptions): Dispatcher | undefined {
    const given = context.getDispatcher();
    const proxied = this.#config.getCurrentCluster()?.proxyUrl !== undefined;
    if (given === undefined || proxied) return given;
    void given.close().catch(() => undefined);
    const settings = Object.fromEntries(
      TLS.flatMap((name) => (tls[name] === undefined ? [] : [[name, tls[name]]])),
    );
    const connect = { ...settings, keepAlive: true, keepAliveInitialDelay: 30_000 };
    return new Agent({ allowH2: false, connect, keepAliveTimeout: 30_000 });
  }
}

const idOf = (tls: RequestOptions): string => {
  const hash = createHash('sha256');
  for (const name of TLS) hash.update(JSON.stringify([name, tls[name]]));
  return hash.digest('hex');
};
