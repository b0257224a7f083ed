import { fetch } from 'undici';

/** An object as the API server shows it. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
    }[];
  };
  readonly [field: string]: unknown;
};

export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * How a test itself talks to the API server: no code of what is under test, no fault in between. By undici:
 * of requests that the server refuses before it has read them, one in some runs never got its answer by the
 * fetch of Node 24.
 */
export class KubeClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  get<T = KubeObject>(path: string): Promise<T> {
    return this.send<T>('GET', path);
  }

  async find(path: string): Promise<KubeObject | undefined> {
    try {
      return await this.get(path);
    } catch (error) {
      if (error instanceof KubeError && error.code === 404) return undefined;
      throw error;
    }
  }

  async list(path: string): Promise<readonly KubeObject[]> {
    return (await this.get<{ items: readonly KubeObject[] }>(path)).items;
  }

  create(path: string, object: object): Promise<KubeObject> {
    return this.send('POST', path, object);
  }

  replace(path: string, object: object): Promise<KubeObject> {
    return this.send('PUT', path, object);
  }

  /** A merge patch, as `kubectl patch --type=merge` sends it. */
  patch(path: string, change: object, manager = 'kubectl-patch'): Promise<KubeObject> {
    return this.send('PATCH', `${path}?fieldManager=${manager}`, change, MERGE);
  }

  /** Server-side apply with force. */
  apply(path: string, object: object, manager: string): Promise<KubeObject> {
    return this.send('PATCH', `${path}?fieldManager=${manager}&force=true`, object, APPLY);
  }

  async delete(path: string): Promise<void> {
    try {
      await this.send('DELETE', path);
    } catch (error) {
      if (!(error instanceof KubeError) || error.code !== 404) throw error;
    }
  }

  /** @throws KubeError when the answer is no success */
  async send<T = KubeObject>(
    method: string,
    path: string,
    body?: object,
    contentType = 'application/json',
  ): Promise<T> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { 'content-type': contentType },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new KubeError(response.status, `${method} ${path}: ${text.slice(0, 400)}`);
    return JSON.parse(text) as T;
  }
}

const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';
