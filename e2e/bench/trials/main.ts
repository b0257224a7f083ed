import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../../cluster/config.ts';
import { AuditLog } from '../operator/audit-log.ts';
import { goalLines } from '../operator/report.ts';
import { goalsOf } from './goals.ts';
import { measureSearch, type SearchResult } from './measure.ts';
import { searchReport } from './report.ts';
import { bundleRealOperator } from './operator-bundle.ts';
import { TrialStage } from './trial-stage.ts';

/**
 * Measures what a search costs beyond its trainings, beside the same done by hand: `main.ts [--trials 1000]
 * [--parallel 10] [--algorithms random,tpe] [--operator FILE] [--smoke]`. Prints a table, writes
 * .build/bench-trials.json.
 */
const { values: flags } = parseArgs({
  options: {
    trials: { type: 'string', default: '1000' },
    parallel: { type: 'string', default: '10' },
    algorithms: { type: 'string', default: 'random,tpe' },
    /** A bundled operator, such as one from before a change. */
    operator: { type: 'string' },
    smoke: { type: 'boolean', default: false },
  },
});
const ALGORITHMS = ['random', 'tpe'] as const;
const algorithms = ALGORITHMS.filter((each) => flags.algorithms.split(',').includes(each));
const trials = flags.smoke ? 30 : Number(flags.trials);

const note = (text: string): void =>
  void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

const main = async (dir: string): Promise<boolean> => {
  const { build } = readConfig();
  mkdirSync(build, { recursive: true });
  const stage = await TrialStage.open(dir, flags.operator ?? (await bundleRealOperator()));
  const results: SearchResult[] = [];
  try {
    await stage.startService();
    const audit = new AuditLog(stage.cluster.dir);
    for (const algorithm of algorithms) {
      note(`${algorithm}, ${trials} trials`);
      results.push(
        await measureSearch(stage, audit, { algorithm, trials, parallel: Number(flags.parallel) }),
      );
    }
    const goals = results.flatMap(goalsOf);
    const machine = {
      date: new Date().toISOString(),
      machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
      'load average': loadavg()
        .map((load) => load.toFixed(1))
        .join(' '),
      kubernetes: stage.cluster.kubernetes,
      node: process.version,
    };
    const file = join(build, 'bench-trials.json');
    writeFileSync(file, `${JSON.stringify({ machine, goals, results }, null, 2)}\n`);
    const lines = [
      ...Object.entries(machine).map(([name, value]) => `${name}: ${value}`),
      ...searchReport(results),
      '',
      ...goalLines(goals),
      '',
      `${goals.filter(({ met }) => met).length}/${goals.length} goals met; all figures: ${file}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return goals.every(({ met }) => met);
  } finally {
    await stage.close();
    copyFileSync(join(dir, 'operator.log'), join(build, 'bench-trials-operator.log'));
  }
};

const dir = mkdtempSync(join(tmpdir(), 'bench-trials-'));
// PostgreSQL runs as a user of its own and must pass through.
chmodSync(dir, 0o711);
try {
  const met = await main(dir);
  // A smoke run is too short for its figures to mean anything.
  process.exitCode = met || flags.smoke ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
