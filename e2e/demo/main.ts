/** `make demo`: from nothing to a served model whose answers are checked. Safe to run again. */
import { join } from 'node:path';

import { readConfig } from '../cluster/config.ts';
import { createProgress } from '../cluster/progress.ts';
import { predict, runExample } from './example.ts';
import { collectFailure, nextSteps } from './explain.ts';
import { installChart } from './install.ts';
import { prepareTarget, type Target } from './target.ts';

const config = readConfig();
const progress = createProgress({ timingsFile: join(config.build, 'timings.jsonl') });
const context = { config, progress };
let target: Target | undefined;

try {
  target = await prepareTarget(context, process.env['KUBECONFIG']);
  await installChart(context, target);
  await runExample(context, target);
  const table = await predict(context, target);
  console.log(`\n${table}${await nextSteps(target)}`);
  progress.note('done');
} catch (error) {
  progress.note(`failed: ${error instanceof Error ? error.message : String(error)}`);
  if (target !== undefined) {
    const file = join(config.build, 'demo', 'failure.log');
    const warnings = await collectFailure(target, file);
    if (warnings !== '') console.error(`\nThe last warnings of the cluster:\n${warnings}`);
    console.error(`\nObjects, events and logs: ${file}`);
  }
  process.exitCode = 1;
}
