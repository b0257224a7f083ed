import { cleanPlan, planFaults, type FaultPlan } from './fault-plan.ts';
import { sealed } from './sealed-world.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulationClock } from './simulation-clock.ts';
import { writeStories } from './stories.ts';
import { Trace } from './trace.ts';
import { World, type Violation } from './world.ts';

export type Result = {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** The same for every run of a seed on the same code. */
  readonly traceHash: string;
  readonly traceLines: number;
  readonly virtualSeconds: number;
};

/** So many seeds tell the same stories with different faults, and share one run without any. */
export const SEEDS_PER_SCENARIO = 10;

const cleanEnds = new Map<number, Promise<Ran>>();

type Ran = Omit<Result, 'seed'> & { readonly end: string };

/**
 * Runs the operator in a world in which everything random comes from the seed: what users do, how
 * long everything takes, and what goes wrong; and compares its end with that of a world in which
 * nothing goes wrong.
 *
 * @param print takes each line of the trace, of this run alone
 */
export const simulate = async (seed: number, print?: (line: string) => void): Promise<Result> => {
  const scenario = Math.floor(seed / SEEDS_PER_SCENARIO);
  const clean = cleanEnds.get(scenario) ?? run(scenario, cleanPlan);
  cleanEnds.set(scenario, clean);
  const { violation, end: cleanEnd } = await clean;
  const plan = planFaults(new SeededRandom(seed).fork('faults'));
  const { end: _end, ...ran } = await run(scenario, plan, { seed, cleanEnd, print });
  return { ...ran, seed, violation: violation ? ofCleanRun(violation) : ran.violation };
};

const ofCleanRun = ({ invariant, words }: Violation): Violation => ({
  invariant,
  words: `in the run without faults: ${words}`,
});

const run = async (
  scenario: number,
  plan: FaultPlan,
  run: {
    readonly seed?: number;
    readonly cleanEnd?: string;
    readonly print?: ((line: string) => void) | undefined;
  } = {},
): Promise<Ran> => {
  const clock = new SimulationClock();
  const trace = new Trace(() => clock.monotonic(), run.print);
  // Stacks of errors that are only thrown to be retried cost more than the rest of a call.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = run.print === undefined ? 0 : stackTraceLimit;
  return sealed(clock.immediate, async (breaches) => {
    const world = new World({
      clock,
      trace,
      plan,
      stories: writeStories(new SeededRandom(scenario).fork('stories')),
      habits: new SeededRandom(scenario).fork('habits'),
      random: new SeededRandom(run.seed ?? scenario).fork('world'),
    });
    await world.live();
    const end = world.violation === undefined ? await world.judge(run.cleanEnd) : '';
    world.end();
    const [breach] = breaches;
    const violation =
      breach === undefined
        ? world.violation
        : { invariant: 'nothing real is touched', words: `somebody used ${breach}` };
    return {
      end,
      violation,
      traceHash: trace.digest(),
      traceLines: trace.lines,
      virtualSeconds: Math.round(clock.monotonic() / 1000),
    };
  }).finally(() => (Error.stackTraceLimit = stackTraceLimit));
};
