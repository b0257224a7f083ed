import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../../cluster/config.ts';
import { AuditLog } from './audit-log.ts';
import { startBenchCluster, type BenchCluster } from './bench-cluster.ts';
import { ours, peer } from './contestants.ts';
import { FAULT_CASES } from './fault-cases.ts';
import { faultGoals, faultReport } from './fault-report.ts';
import { runFaultCase, type FaultResult } from './fault-rounds.ts';
import type { Contestant } from './operator-process.ts';
import { allGoals, goalLines, roundsReport } from './report.ts';
import { Round, type RoundResult } from './rounds.ts';

/**
 * Measures this runtime against a plain controller-runtime operator of the same kind, one after the
 * other on one API server: `main.ts [--objects 1000,10000] [--rounds N] [--idle-seconds 60]
 * [--faults] [--only-faults] [--smoke]`. Prints tables, writes .build/bench-operator.json.
 */
const { values: flags } = parseArgs({
  options: {
    objects: { type: 'string', default: '1000,10000' },
    rounds: { type: 'string' },
    'idle-seconds': { type: 'string', default: '60' },
    workers: { type: 'string', default: '8' },
    faults: { type: 'boolean', default: false },
    'only-faults': { type: 'boolean', default: false },
    'fault-objects': { type: 'string', default: '150' },
    smoke: { type: 'boolean', default: false },
  },
});
const workers = Number(flags.workers);
const sizes = flags.smoke ? [30] : flags.objects.split(',').map(Number);
const idleSeconds = flags.smoke ? 5 : Number(flags['idle-seconds']);
/** So many rounds of each for a small number of objects, where a single one says little. */
const roundsFor = (objects: number): number =>
  Number(flags.rounds ?? (flags.smoke || objects > 2000 ? 1 : 2));

const note = (text: string): void =>
  void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

const main = async (dir: string): Promise<boolean> => {
  const contestants = [await ours(), await peer()] as const;
  const cluster = await startBenchCluster(dir);
  try {
    const rounds = flags['only-faults'] ? [] : await measureRounds(cluster, contestants);
    const faults =
      flags.faults || flags['only-faults'] ? await measureFaults(cluster, contestants) : [];
    const goals = [
      ...(rounds.length > 0 ? allGoals(rounds) : []),
      ...(faults.length > 0 ? faultGoals(faults) : []),
    ];
    const machine = machineOf(cluster, contestants);
    const { build } = readConfig();
    mkdirSync(build, { recursive: true });
    const file = join(build, 'bench-operator.json');
    writeFileSync(file, `${JSON.stringify({ machine, goals, rounds, faults }, null, 2)}\n`);
    const lines = [
      ...Object.entries(machine).map(([name, value]) => `${name}: ${String(value)}`),
      ...roundsReport(rounds),
      ...(faults.length > 0 ? faultReport(faults) : []),
      '',
      ...goalLines(goals),
      '',
      `${goals.filter(({ met }) => met).length}/${goals.length} goals met; all figures: ${file}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return goals.every(({ met }) => met);
  } finally {
    await cluster.stop();
  }
};

const measureRounds = async (
  cluster: BenchCluster,
  contestants: readonly Contestant[],
): Promise<readonly RoundResult[]> => {
  const audit = new AuditLog(cluster.dir);
  const accounts = {
    ours: await cluster.accountOf('ours'),
    go: await cluster.accountOf('go'),
  } satisfies Record<Contestant['name'], unknown>;
  const results: RoundResult[] = [];
  for (const { objects, contestant, ordinal, last } of schedule(contestants)) {
    const account = accounts[contestant.name];
    note(`${contestant.name}, ${objects} objects, round ${ordinal}`);
    const options = { objects, workers, idleSeconds: last ? idleSeconds : 0 };
    const result = await new Round(cluster, audit, { contestant, account }, options).run();
    const phases = Object.entries(result.phases).map(
      ([phase, { seconds }]) => `${phase} ${seconds.toFixed(1)} s`,
    );
    note(`  ${phases.join(', ')}`);
    results.push(result);
  }
  return results;
};

/** Who begins alternates, so that neither always meets the younger server. */
const schedule = (contestants: readonly Contestant[]) =>
  sizes.flatMap((objects) =>
    Array.from({ length: roundsFor(objects) }, (_, index) =>
      (index % 2 === 0 ? contestants : contestants.toReversed()).map((contestant) => ({
        objects,
        contestant,
        ordinal: index + 1,
        last: index === roundsFor(objects) - 1,
      })),
    ).flat(),
  );

const measureFaults = async (
  cluster: BenchCluster,
  contestants: readonly Contestant[],
): Promise<readonly FaultResult[]> => {
  const objects = flags.smoke ? 10 : Number(flags['fault-objects']);
  const results: FaultResult[] = [];
  for (const fault of FAULT_CASES) {
    for (const contestant of contestants) {
      note(`${contestant.name}, ${objects} objects, ${fault.name}`);
      results.push(await runFaultCase(cluster, { contestant, workers, objects }, fault));
    }
  }
  return results;
};

const machineOf = (
  { kubernetes }: BenchCluster,
  contestants: readonly Contestant[],
): Readonly<Record<string, string>> => ({
  date: new Date().toISOString(),
  machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  'load average': loadavg()
    .map((load) => load.toFixed(1))
    .join(' '),
  kubernetes,
  ...Object.fromEntries(contestants.map(({ name, version }) => [name, version])),
});

const dir = mkdtempSync(join(tmpdir(), 'bench-operator-'));
try {
  const met = await main(dir);
  // A smoke run is too short for its figures to mean anything.
  process.exitCode = met || flags.smoke ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
