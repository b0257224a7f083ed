/**
 * Whether a server speaks the Open Inference Protocol v2:
 * `node e2e/conformance/main.ts --http http://localhost:8080 --model iris [--grpc http://localhost:9000] [--shape X=1,4] [--json FILE]`.
 * Prints a line for each case; exit code 1 where one failed.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runCases, type Result } from './run-cases.ts';
import { openTarget } from './target.ts';

const { values: flags } = parseArgs({
  options: {
    http: { type: 'string' },
    grpc: { type: 'string' },
    model: { type: 'string' },
    shape: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});
if (flags.http === undefined || flags.model === undefined) {
  console.error('give --http URL and --model NAME');
  process.exit(2);
}

const shapes = Object.fromEntries(
  flags.shape.map((text) => {
    const [name = '', dimensions = ''] = text.split('=');
    return [name, dimensions.split(',').map(Number)];
  }),
);
const marks = { ok: 'ok     ', failed: 'FAILED ', skipped: 'skipped' } as const;
const results: Result[] = [];
const target = await openTarget(flags.http, flags.model, shapes);
for await (const result of runCases({ ...target, grpc: flags.grpc })) {
  results.push(result);
  console.log(`${marks[result.outcome]} ${result.name}`);
  if (result.reason !== undefined) console.log(`          ${result.reason}`);
}
const asked = results.filter(({ outcome }) => outcome !== 'skipped');
const passed = asked.filter(({ outcome }) => outcome === 'ok');
console.log(`\n${passed.length}/${asked.length}, ${results.length - asked.length} skipped`);
if (flags.json !== undefined) writeFileSync(flags.json, JSON.stringify(results, undefined, 2));
process.exit(passed.length === asked.length ? 0 : 1);
