import type { Direction, Trial, TrialCounts } from './trial-store.ts';

type Counts = { -readonly [Key in keyof TrialCounts]: TrialCounts[Key] };

export type TallyStart = {
  readonly counts: TrialCounts;
  readonly best: Trial | undefined;
  readonly unsettled: readonly Trial[];
  /** Of the first objective. */
  readonly direction: Direction;
};

/**
 * How the trials of a search stand: read once at the beginning of a pass and kept up to date by what the
 * pass does, so that no trial costs another count. In memory for one pass only: the rows are the truth.
 */
export class SearchTally {
  readonly #counts: Counts;
  readonly #unsettled: Map<number, Trial>;
  readonly #direction: Direction;
  #best: Trial | undefined;

  constructor({ counts, best, unsettled, direction }: TallyStart) {
    this.#counts = { ...counts };
    this.#best = best;
    this.#unsettled = new Map(unsettled.map((trial) => [trial.number, trial]));
    this.#direction = direction;
  }

  get counts(): TrialCounts {
    return { ...this.#counts };
  }

  /** The complete trial with the best first objective; of equals the first. */
  get best(): Trial | undefined {
    return this.#best;
  }

  /** In order of number: those that are open, and those that ended without the engine knowing. */
  get unsettled(): readonly Trial[] {
    return [...this.#unsettled.values()].toSorted((a, b) => a.number - b.number);
  }

  opened(trial: Trial): void {
    this.#counts.total += 1;
    this.#counts.open += 1;
    this.#counts.next = Math.max(this.#counts.next, trial.number + 1);
    this.#unsettled.set(trial.number, trial);
  }

  /** Its Job is another one from now on. */
  retried(trial: Trial): void {
    this.#unsettled.set(trial.number, trial);
  }

  /** `trial` as it has ended. Ending twice counts once. */
  ended(trial: Trial): void {
    if (this.#unsettled.get(trial.number)?.phase !== 'open') return;
    this.#counts.open -= 1;
    this.#counts[trial.phase] += 1;
    this.#counts.untold += 1;
    this.#unsettled.set(trial.number, trial);
    if (trial.phase === 'complete' && this.#isBetter(trial)) this.#best = trial;
  }

  /** The engine knows how it ended. */
  told(trial: Trial): void {
    if (!this.#unsettled.delete(trial.number)) return;
    this.#counts.untold -= 1;
  }

  #isBetter(trial: Trial): boolean {
    if (this.#best === undefined) return true;
    const gain = (this.#best.values[0] ?? 0) - (trial.values[0] ?? 0);
    if (gain === 0) return trial.number < this.#best.number;
    return this.#direction === 'minimize' ? gain > 0 : gain < 0;
  }
}
