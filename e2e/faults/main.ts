import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundleRealOperator } from '../bench/trials/operator-bundle.ts';
import { faultTable, type JestReport, type Note } from './fault-table.ts';
import { bundleOperator } from './harness/operator-bundle.ts';

/**
 * Runs the fault cases, each on a real kube-apiserver with etcd behind a fault proxy:
 * `main.ts [jest arguments]`; SOAK=1 for the whole lengths. Ends with a table and `N/N`.
 */
const repository = join(import.meta.dirname, '../..');
const build = join(repository, '.build/faults');
const results = join(repository, '.build/faults.json');
const notes = join(build, 'notes.jsonl');

const jest = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
        join(repository, 'node_modules/jest/bin/jest.js'),
        ...['--selectProjects', 'faults', '--runInBand', '--json', `--outputFile=${results}`],
        ...args,
      ],
      {
        cwd: repository,
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, ...env },
        // A group of its own, so that a stop takes the API servers of the tests along.
        detached: true,
      },
    );
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => process.kill(-(child.pid ?? 0), signal));
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });

mkdirSync(build, { recursive: true });
for (const path of [results, notes, join(build, 'logs')])
  rmSync(path, { force: true, recursive: true });
const operator = process.env['FAULTS_OPERATOR'] ?? (await bundleOperator());
const code = await jest(process.argv.slice(2), {
  FAULTS_OPERATOR: operator,
  FAULTS_REAL_OPERATOR: await bundleRealOperator(),
  FAULTS_NOTES: notes,
});
if (existsSync(results)) {
  const lines = existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : [];
  const report = JSON.parse(readFileSync(results, 'utf8')) as JestReport;
  console.log(
    faultTable(
      report,
      lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Note),
    ),
  );
}
process.exitCode = code;
