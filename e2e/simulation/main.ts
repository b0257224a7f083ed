import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { SEEDS_PER_SCENARIO, simulate, type Result } from './simulate.ts';

const USAGE = `Deterministic simulation of the operator: each seed is a world with faults of its own.
  node e2e/simulation/main.ts --seeds 1000 [--from 0] [--workers 2] [--first]
  node e2e/simulation/main.ts --seed 42 [--trace]
--first stops at the first violation; --trace prints all that happens in one world.`;

/** What is asked of one worker: every n-th scenario of a range of seeds. */
type Share = {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  readonly index: number;
};

const PROGRESS_EVERY_MS = 5_000;
const MOST_SHOWN = 10;

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '0' },
      workers: { type: 'string', default: '2' },
      seed: { type: 'string' },
      first: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      share: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.share !== undefined) return work(JSON.parse(values.share) as Share);
  if (values.seed !== undefined) return one(numberOf('seed', values.seed), values.trace);
  return many(
    {
      from: numberOf('from', values.from),
      seeds: numberOf('seeds', values.seeds),
      workers: numberOf('workers', values.workers),
    },
    values.first,
  );
};

const numberOf = (name: string, text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} is ${text}; give a whole number, as in --${name} 42.\n${USAGE}`);
};

const one = async (seed: number, trace: boolean): Promise<number> => {
  const result = await simulate(seed, trace ? (line) => console.log(line) : undefined);
  const { violation, traceHash, traceLines, virtualSeconds } = result;
  console.log(`seed ${seed}: ${traceLines} events in ${virtualSeconds} s, trace ${traceHash}`);
  if (violation !== undefined) console.log(`violated: ${violation.invariant}: ${violation.words}`);
  return violation === undefined ? 0 : 1;
};

/** In a worker: tells the parent of each seed. */
const work = async ({ from, seeds, workers, index }: Share): Promise<number> => {
  for (let seed = from; seed < from + seeds; seed++) {
    if (Math.floor(seed / SEEDS_PER_SCENARIO) % workers !== index) continue;
    const result = await simulate(seed);
    await new Promise((resolve) => process.send?.(result, resolve));
  }
  process.disconnect();
  return 0;
};

const many = async (range: Omit<Share, 'index'>, first: boolean): Promise<number> => {
  const startedAt = performance.now();
  const bad: Result[] = [];
  let done = 0;
  const line = (): string => {
    const perSecond = done / ((performance.now() - startedAt) / 1000);
    return `${done}/${range.seeds} seeds, ${bad.length} violations, ${perSecond.toFixed(1)} seeds/s`;
  };
  const progress = setInterval(() => console.log(`  ${line()}`), PROGRESS_EVERY_MS);
  const ended = Array.from({ length: range.workers }, (_each, index) =>
    share({ ...range, index }, (result) => {
      done += 1;
      if (result.violation === undefined) return true;
      bad.push(result);
      if (bad.length <= MOST_SHOWN) console.log(describe(result));
      return !first;
    }),
  );
  const faults = (await Promise.all(ended)).filter((each) => each !== undefined);
  clearInterval(progress);
  for (const fault of faults) console.log(fault);
  console.log(`${line()} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
  const complete = done === range.seeds && faults.length === 0;
  return bad.length === 0 && complete ? 0 : 1;
};

const describe = ({ seed, violation }: Result): string =>
  [
    `seed ${seed} violates: ${violation?.invariant ?? ''}`,
    `    ${violation?.words ?? ''}`,
    `    replay: node e2e/simulation/main.ts --seed ${seed} --trace`,
  ].join('\n');

/** @returns what went wrong with the worker itself */
const share = (part: Share, take: (result: Result) => boolean): Promise<string | undefined> =>
  new Promise((resolve) => {
    const child = fork(import.meta.filename, ['--share', JSON.stringify(part)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    let stopped = false;
    child.on('message', (message) => {
      if (stopped || take(message as Result)) return;
      stopped = true;
      child.kill();
    });
    child.once('exit', (code) =>
      resolve(
        code === 0 || stopped ? undefined : `worker ${part.index} ended with ${String(code)}`,
      ),
    );
  });

process.exitCode = await main();
