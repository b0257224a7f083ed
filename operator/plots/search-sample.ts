import { EvenSample } from './even-sample.ts';
import type { Dimension } from './scale.ts';

export type Objective = {
  readonly name: string;
  readonly direction: 'minimize' | 'maximize';
};

/** A trial that finished well: what it was given, and what it reached in each objective (finite). */
export type PlottedTrial = {
  readonly number: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly values: readonly number[];
};

/** What the plots of a search are made from; `trials` is a sample where there are many. */
export type PlottedSearch = {
  readonly name: string;
  readonly objectives: readonly Objective[];
  /** The objective that is looked at, by its place. */
  readonly objective: number;
  readonly parameters: readonly Dimension[];
  /** In order of number. */
  readonly trials: readonly PlottedTrial[];
  /** Each was the best when it ended, by number; a sample where there are many. */
  readonly records: readonly PlottedTrial[];
  /** How many finished well, and how many there are at all. */
  readonly complete: number;
  readonly total: number;
};

/** The most trials that one plot shows, plus the best and the last. */
export const MOST_SHOWN = 2000;

/** Takes the trials of a search one by one, in order of number, and keeps what plots show. */
export class SearchSample {
  readonly #shown = new EvenSample<PlottedTrial>(MOST_SHOWN);
  readonly #records = new EvenSample<PlottedTrial>(MOST_SHOWN);
  readonly #search: Pick<PlottedSearch, 'name' | 'objectives' | 'objective' | 'parameters'>;
  #best: PlottedTrial | undefined;
  #last: PlottedTrial | undefined;
  #total = 0;

  constructor(search: Pick<PlottedSearch, 'name' | 'objectives' | 'objective' | 'parameters'>) {
    this.#search = search;
  }

  /** Undefined: a trial that did not finish well. */
  add(trial: PlottedTrial | undefined): void {
    this.#total += 1;
    const value = trial?.values[this.#search.objective];
    if (trial === undefined || value === undefined || !Number.isFinite(value)) return;
    this.#shown.add(trial);
    this.#last = trial;
    const best = this.#best?.values[this.#search.objective];
    if (best !== undefined && !this.#beats(value, best)) return;
    this.#best = trial;
    this.#records.add(trial);
  }

  get search(): PlottedSearch {
    return {
      ...this.#search,
      trials: withAll(this.#shown.items, [this.#best, this.#last]),
      records: withAll(this.#records.items, [this.#best]),
      complete: this.#shown.seen,
      total: this.#total,
    };
  }

  #beats(value: number, best: number): boolean {
    return this.#search.objectives[this.#search.objective]?.direction === 'maximize'
      ? value > best
      : value < best;
  }
}

const withAll = (
  trials: readonly PlottedTrial[],
  more: readonly (PlottedTrial | undefined)[],
): readonly PlottedTrial[] => {
  const all = new Map(trials.map((trial) => [trial.number, trial]));
  for (const trial of more) if (trial !== undefined) all.set(trial.number, trial);
  return [...all.values()].toSorted((a, b) => a.number - b.number);
};
