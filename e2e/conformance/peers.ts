/**
 * The suite against this runtime and the servers it is measured beside: `node e2e/conformance/peers.ts`.
 * Prints what each case says of each server, writes .build/conformance-peers.json; exit code 1 where a case
 * failed on this runtime.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare } from '../bench/serving/prepare.ts';
import { start } from '../bench/serving/rounds.ts';
import { MODEL_NAME } from '../bench/serving/workload.ts';
import { runCases, type Result } from './run-cases.ts';
import { openTarget } from './target.ts';

const NAMES = ['ours', 'mlserver', 'kserve', 'triton'];
const marks = { ok: 'ok', failed: 'FAILED', skipped: '-' } as const;

const { config, folder, workloads, contestants } = await prepare('conformance-peers');
const [iris] = workloads;
if (iris === undefined) throw new Error('there is no model to ask for');

const results: Record<string, readonly Result[]> = {};
for (const contestant of contestants.filter(({ name }) => NAMES.includes(name))) {
  const { server, baseUrl, grpcUrl } = await start(contestant, iris, {
    ...{ folder, ingestUrl: 'http://127.0.0.1:9/' },
  });
  try {
    const target = await openTarget(baseUrl, MODEL_NAME, {});
    const all: Result[] = [];
    for await (const result of runCases({ ...target, grpc: new URL(grpcUrl).origin }))
      all.push(result);
    results[contestant.name] = all;
  } finally {
    await server.stop();
  }
}

const of = (name: string, theirs: string) => results[name]?.find((each) => each.name === theirs);
console.log(`${'case'.padEnd(100)}${NAMES.map((name) => name.padStart(9)).join('')}`);
for (const { name } of results['ours'] ?? []) {
  const cells = NAMES.map((each) => marks[of(each, name)?.outcome ?? 'skipped'].padStart(9));
  console.log(`${name.slice(0, 98).padEnd(100)}${cells.join('')}`);
}
for (const name of NAMES) {
  const asked = results[name]?.filter(({ outcome }) => outcome !== 'skipped') ?? [];
  const passed = asked.filter(({ outcome }) => outcome === 'ok').length;
  console.log(`${name}: ${passed}/${asked.length}`);
}
const file = join(config.build, 'conformance-peers.json');
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
console.log(`all reasons: ${file}`);
process.exit(results['ours']?.some(({ outcome }) => outcome === 'failed') === true ? 1 : 0);
