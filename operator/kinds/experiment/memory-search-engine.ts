import { createHash } from 'node:crypto';
import {
  EngineConflict,
  StudyBehind,
  StudyChanged,
  type Assignment,
  type Drawn,
  type SearchEngine,
  type SearchParameter,
  type StepValue,
  type Study,
  type Told,
} from './search-engine.ts';

type MemoryTrial = {
  readonly assignments: readonly Assignment[];
  readonly reports: Map<number, number>;
  outcome?: Told;
};

/**
 * A search engine in memory, for tests: random, or grid. It keeps what it was asked and told, as the
 * real one does in its database. Where the study has early stopping, trials stop whose values
 * `prunes` says are hopeless.
 */
export class MemorySearchEngine implements SearchEngine {
  readonly studies = new Map<string, MemoryTrial[]>();
  readonly #definitions = new Map<string, string>();
  /** Called with every value that is reported the first time. */
  prunes: (number: number, point: StepValue) => boolean = () => false;
  /** Set: the answer to every question for a new trial. */
  refusal: Extract<Drawn, { state: 'refused' }> | undefined;
  down = false;
  /** Called after everything that changes what is kept. */
  wrote: () => void = () => undefined;
  /** How many draws were made; a repeated question is none. */
  draws = 0;

  async ask(study: Study, number: number, given?: readonly Assignment[]): Promise<Drawn> {
    this.#check();
    if (this.refusal !== undefined) return this.refusal;
    const trials = this.#trials(study, true);
    const known = trials[number];
    if (known !== undefined) return { state: 'drawn', assignments: known.assignments };
    if (number > trials.length) throw new StudyBehind(study.name, trials.length);
    const assignments = given ?? drawn(study, number);
    if (assignments === undefined) return { state: 'exhausted' };
    trials.push({ assignments, reports: new Map() });
    if (given === undefined) this.draws += 1;
    this.wrote();
    return { state: 'drawn', assignments };
  }

  async report(
    study: Study,
    number: number,
    values: readonly StepValue[],
  ): Promise<{ readonly prune: boolean }> {
    this.#check();
    const { reports, outcome } = this.#trial(study, number);
    if (outcome !== undefined) return { prune: outcome.state === 'pruned' };
    for (const { step, value } of values) if (!reports.has(step)) reports.set(step, value);
    this.wrote();
    return {
      prune:
        study.earlyStopping !== undefined &&
        [...reports].some(([step, value]) => this.prunes(number, { step, value })),
    };
  }

  async tell(study: Study, number: number, outcome: Told): Promise<void> {
    this.#check();
    const trial = this.#trial(study, number);
    if (trial.outcome !== undefined && JSON.stringify(trial.outcome) !== JSON.stringify(outcome))
      throw new EngineConflict(`Trial ${number} of ${study.name} was told another outcome.`);
    trial.outcome = outcome;
    this.wrote();
  }

  async forget(name: string): Promise<void> {
    this.#check();
    this.studies.delete(name);
    this.#definitions.delete(name);
    this.wrote();
  }

  async studyNames(): Promise<readonly string[]> {
    this.#check();
    return [...this.studies.keys()];
  }

  /** The outcomes that were told, by number. */
  outcomes(): readonly (Told | undefined)[] {
    return [...this.studies.values()].flat().map(({ outcome }) => outcome);
  }

  #check(): void {
    if (this.down) throw new Error('connect ECONNREFUSED 127.0.0.1:8090');
  }

  #trials(study: Study, create: boolean): MemoryTrial[] {
    const known = this.studies.get(study.name) ?? [];
    if (create) this.studies.set(study.name, known);
    const definition = JSON.stringify(study);
    const begun = this.#definitions.get(study.name) ?? definition;
    if (begun !== definition)
      throw new StudyChanged(`Study ${study.name} was begun with another definition.`);
    if (create) this.#definitions.set(study.name, definition);
    return known;
  }

  #trial(study: Study, number: number): MemoryTrial {
    const trials = this.#trials(study, false);
    const trial = trials[number];
    if (trial === undefined) throw new StudyBehind(study.name, trials.length);
    return trial;
  }
}

/** undefined: the grid has no more. */
const drawn = (study: Study, number: number): readonly Assignment[] | undefined => {
  const assignments: Assignment[] = [];
  let place = number;
  for (const parameter of study.parameters) {
    if (!applies(parameter, assignments)) continue;
    const values = gridOf(parameter);
    const index =
      study.algorithm.name === 'grid'
        ? place % values.length
        : indexOf(study, number, parameter.name);
    place = Math.floor(place / values.length);
    assignments.push({ name: parameter.name, value: values[index % values.length] ?? '' });
  }
  return study.algorithm.name === 'grid' && place > 0 ? undefined : assignments;
};

const applies = ({ when }: SearchParameter, so: readonly Assignment[]): boolean =>
  when === undefined ||
  so.some(({ name, value }) => name === when.parameter && when.in.includes(value));

const gridOf = ({ list, min = '0', max = '1', step }: SearchParameter): readonly string[] => {
  if (list !== undefined) return list;
  const distance = step === undefined ? (Number(max) - Number(min)) / 10 : Number(step);
  const count = distance === 0 ? 0 : Math.floor((Number(max) - Number(min)) / distance);
  return Array.from({ length: count + 1 }, (_, index) =>
    String(Number((Number(min) + index * distance).toPrecision(12))),
  );
};

/** A number that looks random and follows from seed, number and name. */
const indexOf = ({ seed = 0 }: Study, number: number, name: string): number =>
  createHash('sha256').update(`${seed}/${number}/${name}`).digest().readUInt32BE(0);
