import { parseKey } from './resource-type.ts';

/**
 * Why a key waits: something changed; an attempt failed because the server was in trouble; or it is
 * only to be looked at again (a periodic check, the first list after a start).
 */
export type Lane = 'change' | 'retry' | 'resync';

/** Changes and retries in turn, but everything else moves too. */
const TURNS: readonly (readonly Lane[])[] = [
  ['change', 'retry', 'resync'],
  ['retry', 'change', 'resync'],
  ['change', 'retry', 'resync'],
  ['retry', 'change', 'resync'],
  ['change', 'retry', 'resync'],
  ['retry', 'change', 'resync'],
  ['change', 'retry', 'resync'],
  ['resync', 'change', 'retry'],
];

const URGENCY: Readonly<Record<Lane, number>> = { change: 2, retry: 1, resync: 0 };

/**
 * The keys that wait, each at most once and in its most urgent lane. Within a lane namespaces take
 * turns, and within a namespace the oldest comes first; so whoever floods one namespace delays
 * nobody else by more than a turn.
 */
export class ReadyKeys {
  readonly #lanes: Readonly<Record<Lane, Map<string, Set<string>>>> = {
    change: new Map(),
    retry: new Map(),
    resync: new Map(),
  };
  readonly #laneOf = new Map<string, Lane>();
  #turn = 0;

  get size(): number {
    return this.#laneOf.size;
  }

  has(key: string): boolean {
    return this.#laneOf.has(key);
  }

  /** @returns whether the key was not there yet */
  add(key: string, lane: Lane): boolean {
    const present = this.#laneOf.get(key);
    if (present !== undefined) {
      if (URGENCY[lane] > URGENCY[present]) {
        this.#remove(key, present);
        this.#insert(key, lane);
      }
      return false;
    }
    this.#insert(key, lane);
    return true;
  }

  /** The next key of the lanes that are open. */
  take(isOpen: (lane: Lane) => boolean): string | undefined {
    const order = TURNS[this.#turn % TURNS.length] ?? [];
    for (const lane of order) {
      const [turn] = this.#lanes[lane];
      if (turn === undefined || !isOpen(lane)) continue;
      const [namespace, keys] = turn;
      const [key = ''] = keys;
      this.#remove(key, lane);
      // To the end of the line.
      if (this.#lanes[lane].delete(namespace)) this.#lanes[lane].set(namespace, keys);
      this.#turn += 1;
      return key;
    }
    return undefined;
  }

  drop(key: string): void {
    const lane = this.#laneOf.get(key);
    if (lane !== undefined) this.#remove(key, lane);
  }

  count(lane: Lane): number {
    let count = 0;
    for (const keys of this.#lanes[lane].values()) count += keys.size;
    return count;
  }

  #insert(key: string, lane: Lane): void {
    const { namespace } = parseKey(key);
    const keys = this.#lanes[lane].get(namespace) ?? new Set();
    keys.add(key);
    this.#lanes[lane].set(namespace, keys);
    this.#laneOf.set(key, lane);
  }

  #remove(key: string, lane: Lane): void {
    const { namespace } = parseKey(key);
    const keys = this.#lanes[lane].get(namespace);
    keys?.delete(key);
    if (keys?.size === 0) this.#lanes[lane].delete(namespace);
    this.#laneOf.delete(key);
  }
}
