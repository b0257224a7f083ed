/** How far each version is on its way into service. */
import type { CatalogEntry } from './catalog.ts';
import type { ModelIdentity } from '../model-identity.ts';
import { idOf } from '../model-identity.ts';
import type { LoadStage } from './load-version.ts';

export type ModelState = LoadStage | 'ready' | 'failed' | 'unloaded';

export type StateChange = {
  readonly state: ModelState;
  readonly previous: ModelState;
  /** How long the previous state lasted. */
  readonly previousSeconds: number;
};

export type VersionState = {
  readonly state: ModelState;
  /** Why the last load failed. */
  readonly reason?: string | undefined;
};

export class VersionStates {
  readonly #now: () => number;
  readonly #onChange: (version: ModelIdentity, change: StateChange) => void;
  readonly #states = new Map<string, VersionState & { readonly since: number }>();

  constructor(now: () => number, onChange: (version: ModelIdentity, change: StateChange) => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  of(version: ModelIdentity): VersionState {
    return this.#states.get(idOf(version)) ?? { state: 'unloaded' };
  }

  /** The first state that is not ready. */
  get least(): ModelState {
    for (const { state } of this.#states.values()) if (state !== 'ready') return state;
    return 'fetching';
  }

  enter(version: ModelIdentity, state: ModelState): void {
    const before = this.#states.get(idOf(version));
    if (before?.state === state) return;
    const now = this.#now();
    this.#states.set(idOf(version), { state, since: now });
    if (before === undefined) return;
    const { state: previous, since } = before;
    const previousSeconds = (now - since) / 1000;
    this.#onChange(version, { state, previous, previousSeconds });
  }

  /** Where an earlier load of the version serves on, it stays ready, and says why it was not replaced. */
  failed(version: CatalogEntry, error: unknown, servesOn: boolean): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.enter(version, 'failed');
    const state = servesOn ? 'ready' : 'failed';
    this.#states.set(idOf(version), { state, reason, since: this.#now() });
  }
}
