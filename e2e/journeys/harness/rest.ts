import { request } from 'node:http';

import { SYSTEM_NAMESPACE } from '../../demo/install.ts';
import { kubectl, type Json } from './kubectl.ts';
import { addressOf } from './serving.ts';
import type { Tenant } from './tenant.ts';

const AUDIENCE = 'mlops.pynomaly.io';
const TIMEOUT_MS = 15_000;

/** Where the API is, from outside the cluster. */
export const apiServer = async (): Promise<string> =>
  `http://${await addressOf(SYSTEM_NAMESPACE, 'mlops-operator')}:8080`;

export type RestAnswer = { readonly status: number; readonly body: Json };

/** A caller of the REST API: a service account with one of the cluster's own roles. */
export class RestUser {
  readonly token: string;
  readonly #namespace: string;

  private constructor(token: string, namespace: string) {
    this.token = token;
    this.#namespace = namespace;
  }

  static async with(role: 'view' | 'edit' | 'admin', { namespace }: Tenant): Promise<RestUser> {
    const name = `journey-${role}`;
    await kubectl(
      ['apply', '-n', namespace, '-f', '-'],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
          {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'RoleBinding',
            metadata: { name },
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
            subjects: [{ kind: 'ServiceAccount', name, namespace }],
          },
        ],
      }),
    );
    const token = await kubectl([
      ...['create', 'token', name, '-n', namespace],
      `--audience=${AUDIENCE}`,
    ]);
    return new RestUser(token.trim(), namespace);
  }

  /** `path` below `/api/v1/namespaces/<own>/`. */
  async send(method: string, path: string, body?: object): Promise<RestAnswer> {
    const answer = await this.#fetch(method, path, body);
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
  }

  /** What a GET answers; fails if it is refused. */
  async read(path: string): Promise<Json> {
    const { status, body } = await this.send('GET', path);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** As `read`, of what is no JSON. */
  async text(path: string): Promise<string> {
    const answer = await this.#fetch('GET', path);
    const body = await answer.text();
    if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${body}`);
    return body;
  }

  async #fetch(method: string, path: string, body?: object): Promise<Response> {
    const url = `${await apiServer()}/api/v1/namespaces/${this.#namespace}/${path}`;
    return fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  }
}

/** Reads a URL whose host only pods can resolve; a presigned one is valid for that host alone. */
export const readAsPod = async (url: string): Promise<Buffer> => {
  const { hostname, host, port, pathname, search } = new URL(url);
  const [service = '', namespace = ''] = hostname.split('.');
  const address = await addressOf(namespace, service);
  return new Promise((resolve, reject) => {
    const options = { host: address, port, path: pathname + search, headers: { host } };
    request({ ...options, timeout: TIMEOUT_MS }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const bytes = Buffer.concat(chunks);
        if (answer.statusCode === 200) resolve(bytes);
        else reject(new Error(`${answer.statusCode}: ${bytes.toString().slice(0, 500)}`));
      });
    })
      .on('error', reject)
      .end();
  });
};
