import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages, loadPackages } from '../../cluster/debian-packages.ts';
import { oursBounded, oursForMany } from './contestants.ts';
import { goalsOf, scenarioGoals } from './goals.ts';
import { prepare } from './prepare.ts';
import { goalLines, report } from './report.ts';
import type { Measurement } from './rounds.ts';
import { runRounds } from './rounds.ts';
import { runScenarios } from './scenarios.ts';

/**
 * Measures the serving runtime beside other servers of the Open Inference Protocol, all on loopback:
 * `main.ts [--seconds N] [--rounds N] [--models iris,mlp10m,cnn10m] [--smoke]`. Prints tables, writes
 * .build/bench-serving.json; the exit status is 0 when every goal is met.
 */
const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    models: { type: 'string', default: 'iris,mlp10m,cnn10m' },
    smoke: { type: 'boolean', default: false },
  },
});
const seconds = flags.smoke ? 1 : Number(flags.seconds);
const rounds = flags.smoke ? 1 : Number(flags.rounds);
const connections = flags.smoke ? 500 : 10_000;
const clients = [1, 16, 64];

const note = (text: string): void =>
  void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

/** Takes what is logged, and keeps nothing of it. */
const openSink = async () => {
  const sink = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(202).end());
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  return { sink, url: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/` };
};

const main = async (): Promise<boolean> => {
  const {
    config,
    progress,
    folder,
    workloads: prepared,
    contestants,
  } = await prepare('bench-serving');
  await installPackages(progress, loadPackages, join(config.build, 'apt.log'));
  const wanted = flags.models.split(',');
  const workloads = prepared.filter(({ name }) => wanted.includes(name));
  const { sink, url: ingestUrl } = await openSink();
  try {
    const options = { contestants, clients, seconds, rounds, folder, ingestUrl, note, connections };
    const measured: Measurement[] = [];
    for (const workload of workloads) measured.push(...(await runRounds(workload, options)));
    const [iris, heavy] = prepared;
    const [ours] = contestants;
    if (iris === undefined || heavy === undefined || ours === undefined)
      throw new Error('nothing to measure');
    const scenarios = await runScenarios(
      { ours, forMany: oursForMany(config), bounded: oursBounded(config) },
      { iris, heavy },
      options,
    );
    const names = workloads.map(({ name }) => name);
    const goals = [...goalsOf(measured, names, clients), ...scenarioGoals(scenarios)];
    const machine = machineOf();
    const file = join(config.build, 'bench-serving.json');
    const results = { machine, contestants, goals, measured, scenarios };
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
    const lines = [
      ...Object.entries(machine).map(([name, value]) => `${name}: ${String(value)}`),
      ...contestants.map(({ name, what }) => `${name}: ${what}`),
      ...report(
        measured,
        contestants.map(({ name }) => name),
        clients,
      ),
      ...['', ...goalLines(goals), ''],
      `${goals.filter(({ met }) => met).length}/${goals.length} goals met; all figures: ${file}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return goals.every(({ met }) => met);
  } finally {
    sink.closeAllConnections();
    sink.close();
  }
};

const machineOf = () => ({
  date: new Date().toISOString().slice(0, 10),
  processor: `${cpus().length} cores of ${cpus()[0]?.model ?? 'unknown'}`,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.version,
  'load average at the end': loadavg()
    .map((each) => each.toFixed(1))
    .join(' '),
  measured: `${rounds} round(s) of ${seconds} s each; the load shares the processor with the servers`,
});

process.exitCode = (await main()) ? 0 : 1;
