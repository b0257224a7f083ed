/**
 * Prepares what the journeys need (the local cluster, images, the chart) and runs them: all, or
 * those jest's arguments choose. The cluster stays for a look around, except in CI or with `--down`.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { down, type Context } from '../cluster/cluster.ts';
import { readConfig } from '../cluster/config.ts';
import { goTool } from '../cluster/go-tool.ts';
import { createProgress } from '../cluster/progress.ts';
import { kubectlPath } from '../cluster/tools.ts';
import { installChart } from '../demo/install.ts';
import { prepareTarget } from '../demo/target.ts';
import { FINALIZER_DEADLINE_SECONDS, SETTINGS_FILE, type Settings } from './harness/settings.ts';

const config = readConfig();
const progress = createProgress({ timingsFile: join(config.build, 'timings.jsonl') });
const context: Context = { config, progress };
const wanted = process.argv.slice(2);

try {
  await prepare();
  process.exitCode = await runJest(wanted.filter((each) => each !== '--down'));
  if (wanted.includes('--down') || process.env['CI'] === 'true') await down(context, false);
} catch (error) {
  progress.note(`failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

/** The journeys stop processes and flip bytes on the node, so only the local cluster will do. */
async function prepare(): Promise<void> {
  const target = await prepareTarget(context);
  await installChart(context, target, [
    '--set',
    `operator.finalizerDeadline=${FINALIZER_DEADLINE_SECONDS}s`,
  ]);
  const settings: Settings = {
    kubectl: await kubectlPath(config, progress),
    helm: await goTool(config, progress, 'helm'),
    kubeconfig: target.kubeconfig,
    images: target.images,
  };
  mkdirSync(config.build, { recursive: true });
  writeFileSync(SETTINGS_FILE, JSON.stringify(settings, null, 2));
}

function runJest(args: readonly string[]): Promise<number> {
  const jest = join(config.repository, 'node_modules/jest/bin/jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const child = spawn(
    process.execPath,
    [
      ...[...flags, jest, '--selectProjects', 'journeys', '--runInBand', '--verbose'],
      ...[`--testSequencer=${join(import.meta.dirname, 'in-order.cjs')}`, ...args],
    ],
    { cwd: config.repository, stdio: 'inherit' },
  );
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
