/** The versions that are served, and how they change while requests are answered. */
import { ModelFailure } from '../model-failure.ts';
import type { ModelMetadata } from '../protocol/messages.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { ModelMetrics } from '../telemetry/model-metrics.ts';
import type { Catalog, CatalogEntry } from './catalog.ts';
import type { ModelIdentity } from '../model-identity.ts';
import { idOf } from '../model-identity.ts';
import { whyNotServed } from './explain-missing.ts';
import { loadChanges, withMembers } from './load-changes.ts';
import type { VersionLoader } from './load-version.ts';
import type { LoadedModel } from './loaded-model.ts';
import { describeModel } from './loaded-model.ts';
import type { Served } from './served.ts';
import { allOf, findIn } from './served.ts';
import type { ModelState, StateChange } from './version-states.ts';
import { VersionStates } from './version-states.ts';

export type RepositoryEnvironment = VersionLoader & {
  /** Read anew at every load. Throws ModelFailure `InvalidConfig`. */
  readonly readCatalog: () => Promise<Catalog>;
  readonly now: () => number;
  readonly onChange: (version: ModelIdentity, change: StateChange) => void;
  /** A version that was taken out of service has given its last answer, and could not be closed where `error`. */
  readonly onRetired: (version: ModelIdentity, error?: unknown) => void;
  /** No version with these bytes is served any more. */
  readonly dropBytes: (digest: string) => Promise<void>;
};

/** What is asked about, and not necessarily loaded. */
export type Subject = { readonly entry: ModelIdentity; readonly metrics: ModelMetrics };

export class ModelRepository {
  readonly #environment: RepositoryEnvironment;
  readonly #states: VersionStates;
  #catalog: Catalog = [];
  #served: Served = new Map();
  #isStarted = false;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(environment: RepositoryEnvironment) {
    this.#environment = environment;
    this.#states = new VersionStates(environment.now, environment.onChange);
  }

  /** Of all that is loaded from the start; from then on it stays ready. */
  get state(): ModelState {
    return this.#isStarted ? 'ready' : this.#states.least;
  }

  /** Loads what is loaded from the start. Throws ModelFailure, or what `signal` aborts with. */
  start(signal: AbortSignal): Promise<readonly LoadedModel[]> {
    return this.#inTurn(async () => {
      this.#catalog = await this.#environment.readCatalog();
      const wanted = this.#catalog.filter(({ load }) => load);
      for (const entry of wanted) {
        this.#states.enter(entry, 'fetching');
        // Their figures begin with that they are not ready.
        this.#environment.metricsOf(entry);
      }
      await this.#load(wanted, signal);
      this.#isStarted = true;
      return allOf(this.#served);
    });
  }

  /**
   * Loads all versions of the name that the catalog lists now, with what an ensemble of it needs, and
   * lets go of others. What is served serves on until all of it is ready, and stays where it fails.
   * Throws ProtocolError 404, 422.
   */
  load(name: string, signal: AbortSignal): Promise<readonly LoadedModel[]> {
    return this.#inTurn(async () => {
      try {
        const catalog = await this.#environment.readCatalog();
        const wanted = catalog.filter(({ model }) => model === name);
        if (wanted.length === 0) throw whyNotServed(name, undefined, { catalog });
        this.#catalog = catalog;
        await this.#load(wanted, signal);
      } catch (error) {
        if (!(error instanceof ModelFailure)) throw error;
        throw new ProtocolError('LoadFailed', `"${name}" was not loaded: ${error.message}`, {
          cause: error,
        });
      }
      return this.#served.get(name) ?? [];
    });
  }

  /**
   * Takes a name out of service, which gives its last answers; with `dependents` the members of an
   * ensemble, too. Nothing is done for one that is not loaded. Throws ProtocolError 404, and 409 where an
   * ensemble that stays needs it.
   */
  unload(name: string, { dependents = false } = {}): Promise<void> {
    return this.#inTurn(async () => {
      const going = this.#served.get(name) ?? [];
      if (going.length === 0 && !this.#catalog.some(({ model }) => model === name)) {
        throw whyNotServed(name, undefined, { catalog: this.#catalog });
      }
      const members = dependents ? going.flatMap((each) => each.members) : [];
      const names = new Set([name, ...members.map(({ entry }) => entry.model)]);
      const next = new Map([...this.#served].filter(([each]) => !names.has(each)));
      const needing = allOf(next).find((each) =>
        each.members.some(({ entry }) => names.has(entry.model)),
      );
      if (needing !== undefined) {
        throw new ProtocolError(
          'Conflict',
          `ensemble "${needing.entry.model}" needs it; unload that first`,
        );
      }
      this.#swap(next);
    });
  }

  /** By name and, where given, version; to be run in the same turn. Throws ProtocolError 404 or 503. */
  find(name: string, version: string | undefined): LoadedModel {
    const found = findIn(this.#served, name, version);
    if (found !== undefined) return found;
    throw whyNotServed(name, version, {
      catalog: this.#catalog,
      versions: this.#served.get(name)?.map(({ entry }) => entry.version),
      stateOf: (entry) => this.#states.of(entry),
    });
  }

  /** For addresses that name no model: the catalog's first. Throws ProtocolError 503 while it is not loaded. */
  first(): LoadedModel {
    return this.find(this.#catalog[0]?.model ?? '', undefined);
  }

  describe(name: string, version: string | undefined): ModelMetadata {
    const found = this.find(name, version);
    const versions = this.#served.get(found.entry.model) ?? [];
    return describeModel(
      found,
      versions.map(({ entry }) => entry.version),
    );
  }

  /** Of what is served, the default of each name. */
  get defaults(): readonly LoadedModel[] {
    return [...this.#served.values()].flatMap(([first]) => first ?? []);
  }

  /** All that is listed, and what serves on without. */
  get known(): readonly (ModelIdentity & {
    readonly isServed: boolean;
    readonly state: ModelState;
    readonly reason: string | undefined;
  })[] {
    const ids = new Set(this.#catalog.map(idOf));
    const unlisted = allOf(this.#served).filter(({ entry }) => !ids.has(idOf(entry)));
    return [...this.#catalog, ...unlisted.map(({ entry }) => entry)].map(({ model, version }) => ({
      ...{ model, version, reason: undefined },
      isServed: findIn(this.#served, model, version) !== undefined,
      ...this.#states.of({ model, version }),
    }));
  }

  /** Whom a request is counted for; undefined for a name that is not ours. */
  subject(name: string | undefined, version: string | undefined): Subject | undefined {
    const asked = name ?? this.#catalog[0]?.model ?? '';
    const served = findIn(this.#served, asked, version) ?? findIn(this.#served, asked, undefined);
    if (served !== undefined) return served;
    const entry = this.#catalog.find(({ model }) => model === asked);
    return entry && { entry, metrics: this.#environment.metricsOf(entry) };
  }

  /** False for a model that is ours and not loaded yet. Throws ProtocolError 404 for another. */
  isLoaded(name: string, version: string | undefined): boolean {
    try {
      this.find(name, version);
      return true;
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'NotReady') return false;
      throw error;
    }
  }

  /** Resolves when the last answers have been given. */
  async close(): Promise<void> {
    const served = allOf(this.#served);
    this.#served = new Map();
    await Promise.all(served.map(({ model }) => model.close()));
  }

  async #load(wanted: Catalog, signal: AbortSignal): Promise<void> {
    const [served, states, loader] = [this.#served, this.#states, this.#environment];
    const all = withMembers(wanted, this.#catalog, served);
    this.#swap(await loadChanges(all, { served, states, loader, signal }));
  }

  /** In one step: a request finds all of before, or all of after. */
  #swap(next: Served): void {
    const before = allOf(this.#served);
    this.#served = next;
    const now = allOf(next);
    for (const { entry, metrics } of now) {
      this.#states.enter(entry, 'ready');
      metrics.loaded(entry.digest);
    }
    for (const retired of before.filter((each) => !now.includes(each))) void this.#retire(retired);
  }

  async #retire({ entry, model }: LoadedModel): Promise<void> {
    const isGone = () => findIn(this.#served, entry.model, entry.version) === undefined;
    if (isGone()) this.#states.enter(entry, 'unloaded');
    try {
      await model.close();
      if (isGone()) this.#environment.onRetired(entry);
      await this.#inTurn(() => this.#dropUnused(entry));
    } catch (error) {
      this.#environment.onRetired(entry, error);
    }
  }

  async #dropUnused({ content, digest }: CatalogEntry): Promise<void> {
    const isUsed = allOf(this.#served).some(({ entry }) => entry.digest === digest);
    if (content.kind === 'onnx' && !isUsed) await this.#environment.dropBytes(digest);
  }

  /** Changes one after the other. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(change);
    this.#changing = done.catch(() => undefined);
    return done;
  }
}
