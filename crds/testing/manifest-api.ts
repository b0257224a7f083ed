import { ApiException, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import { kinds } from '../schema/all.ts';
import { GROUP, VERSION } from '../schema/resource.ts';
import type { KindDefinition } from '../schema/resource.ts';

export type AnyManifest = {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
};

/** What the apiserver answered: the object as it would be stored, or why it is refused. */
export type Answer =
  | { readonly accepted: true; readonly object: AnyManifest }
  | { readonly accepted: false; readonly message: string };

/** Writes manifests the way kubectl does: unknown fields are refused. */
export class ManifestApi {
  readonly #api: CustomObjectsApi;
  readonly #namespace: string;

  constructor(kubeconfig: string, namespace: string) {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    this.#api = config.makeApiClient(CustomObjectsApi);
    this.#namespace = namespace;
  }

  /** Asks what would happen; nothing is stored. */
  async tryCreate(body: object): Promise<Answer> {
    return this.#answer(() =>
      this.#api.createNamespacedCustomObject({ ...this.#request(body), body, dryRun: 'All' }),
    );
  }

  async create(body: object): Promise<Answer> {
    return this.#answer(() =>
      this.#api.createNamespacedCustomObject({ ...this.#request(body), body }),
    );
  }

  /** Asks what would happen if the stored object were replaced by this one. */
  async tryReplace(body: object): Promise<Answer> {
    const { name } = (body as AnyManifest).metadata;
    return this.#answer(() =>
      this.#api.replaceNamespacedCustomObject({
        ...this.#request(body),
        name,
        body,
        dryRun: 'All',
      }),
    );
  }

  async get(body: object): Promise<Answer> {
    const { fieldValidation: _, ...request } = this.#request(body);
    const { name } = (body as AnyManifest).metadata;
    return this.#answer(() => this.#api.getNamespacedCustomObject({ ...request, name }));
  }

  async replaceStatus(body: object): Promise<Answer> {
    const { name } = (body as AnyManifest).metadata;
    return this.#answer(() =>
      this.#api.replaceNamespacedCustomObjectStatus({ ...this.#request(body), name, body }),
    );
  }

  async delete(body: object): Promise<void> {
    const { fieldValidation: _, ...request } = this.#request(body);
    await this.#answer(() =>
      this.#api.deleteNamespacedCustomObject({
        ...request,
        name: (body as AnyManifest).metadata.name,
      }),
    );
  }

  #request(body: object) {
    return {
      group: GROUP,
      version: VERSION,
      namespace: this.#namespace,
      plural: definitionOf((body as AnyManifest).kind).plural,
      fieldValidation: 'Strict',
    };
  }

  async #answer(send: () => Promise<unknown>): Promise<Answer> {
    try {
      return { accepted: true, object: (await send()) as AnyManifest };
    } catch (error) {
      if (!(error instanceof ApiException)) throw error;
      return { accepted: false, message: messageIn(error.body) };
    }
  }
}

export function definitionOf(kind: string): KindDefinition {
  const definition = kinds.find((each) => each.kind === kind);
  if (definition === undefined) throw new Error(`${kind} is none of our kinds`);
  return definition;
}

/** The client gives a refusal as the text of a metav1.Status. */
function messageIn(body: unknown): string {
  const status = (typeof body === 'string' ? JSON.parse(body) : body) as { message?: unknown };
  return String(status.message);
}
