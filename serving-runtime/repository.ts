/**
 * The life of the served model: fetching (the bytes are verified as they pass) → loading → warming →
 * ready, or failed.
 */
import type { FetchedModel } from './model-cache.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import type { ModelMetadata } from './protocol/messages.ts';
import type { ServedModel } from './inference/served-model.ts';
import type { ModelSession } from './session.ts';

export type ModelState = 'fetching' | 'loading' | 'warming' | 'ready' | 'failed';

export type ModelIdentity = { readonly model: string; readonly version: string };

/** Each step as a function: those of a test may fail, or wait. */
export type LoadSteps = {
  /** Resolves with verified bytes only. */
  readonly fetch: (signal: AbortSignal) => Promise<FetchedModel>;
  readonly open: (path: string, signal: AbortSignal) => Promise<ModelSession>;
  /** Puts it to work; whoever closes the model closes the session. */
  readonly warmUp: (session: ModelSession, path: string) => Promise<ServedModel>;
};

export type LoadedModel = {
  readonly metadata: ModelMetadata;
  readonly model: ServedModel;
};

export type StateChange = {
  readonly state: ModelState;
  readonly previous: ModelState;
  /** How long the previous state lasted. */
  readonly previousSeconds: number;
};

export class ModelRepository {
  readonly identity: ModelIdentity;
  readonly #steps: LoadSteps;
  readonly #now: () => number;
  readonly #onChange: (change: StateChange) => void;
  #state: ModelState = 'fetching';
  #since: number;
  #loaded: LoadedModel | undefined;

  constructor(
    identity: ModelIdentity,
    steps: LoadSteps,
    now: () => number,
    onChange: (change: StateChange) => void,
  ) {
    this.identity = identity;
    this.#steps = steps;
    this.#now = now;
    this.#onChange = onChange;
    this.#since = now();
  }

  get state(): ModelState {
    return this.#state;
  }

  /** Loads the model once. Throws ModelFailure, or what `signal` aborts with. */
  async load(signal: AbortSignal): Promise<LoadedModel> {
    try {
      const fetched = await this.#steps.fetch(signal);
      this.#enter('loading');
      const session = await this.#steps.open(fetched.path, signal);
      this.#enter('warming');
      const model = await this.#warmUp(session, fetched.path);
      const loaded = { model, metadata: describe(this.identity, fetched, model) };
      this.#loaded = loaded;
      this.#enter('ready');
      return loaded;
    } catch (error) {
      this.#enter('failed');
      throw error;
    }
  }

  async #warmUp(session: ModelSession, path: string): Promise<ServedModel> {
    try {
      return await this.#steps.warmUp(session, path);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** The model by name and, where given, version. Throws ProtocolError 404 or 503. */
  find(model: string, version: string | undefined): LoadedModel {
    const served = this.identity;
    if (model !== served.model) {
      throw new ProtocolError(
        'UnknownModel',
        `model "${model}" is not served here; this is "${served.model}"`,
      );
    }
    if (version !== undefined && version !== served.version) {
      throw new ProtocolError(
        'UnknownModel',
        `version "${version}" of model "${model}" is not served here; this is "${served.version}"`,
      );
    }
    if (this.#loaded === undefined) {
      throw new ProtocolError('NotReady', `model "${model}" is ${this.#state}; try again later`, {
        headers: { 'retry-after': '1' },
      });
    }
    return this.#loaded;
  }

  /** False for a model that is ours and not loaded yet. Throws ProtocolError 404 for another. */
  isLoaded(model: string, version: string | undefined): boolean {
    try {
      this.find(model, version);
      return true;
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'NotReady') return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    await loaded?.model.close();
  }

  #enter(state: ModelState): void {
    const now = this.#now();
    const previousSeconds = (now - this.#since) / 1000;
    const previous = this.#state;
    this.#state = state;
    this.#since = now;
    this.#onChange({ state, previous, previousSeconds });
  }
}

function describe(
  identity: ModelIdentity,
  fetched: FetchedModel,
  { signature }: ServedModel,
): ModelMetadata {
  return {
    name: identity.model,
    versions: [identity.version],
    platform: 'onnx_onnxv1',
    inputs: signature.inputs,
    outputs: signature.outputs,
    parameters: { digest: fetched.digest, size_bytes: fetched.sizeBytes },
  };
}
