import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { checks, journeys, tests, type Check } from './checks.ts';
import { runCheck, type Verdict } from './run-check.ts';

/**
 * The gates: types, style, import rules and generated files; with `--tests` the tests too; with
 * `--journeys` the journeys on the full cluster only. All run, so that one call shows all faults.
 * Ends with `N passed, N failed` and the slowest parts.
 */
const repository = join(import.meta.dirname, '../..');

const wanted = (args: readonly string[]): readonly Check[] => {
  if (args.includes('--journeys')) return journeys;
  return args.includes('--tests') ? [...checks, ...tests] : checks;
};

const verdicts: Verdict[] = [];
for (const check of wanted(process.argv.slice(2))) verdicts.push(await runCheck(check, repository));

console.log('\nslowest parts');
for (const { name, seconds } of verdicts.toSorted((a, b) => b.seconds - a.seconds).slice(0, 10)) {
  console.log(`${seconds.toFixed(1).padStart(8)} s  ${name}`);
}
for (const { name, coverage } of verdicts) {
  if (coverage !== undefined) console.log(`${name}: ${coverageLine(coverage)}`);
}
const failures = verdicts.filter(({ ok }) => !ok);
for (const { name } of failures) console.log(`failed: ${name}`);
const sum = (of: (verdict: Verdict) => number): number =>
  verdicts.reduce((total, each) => total + of(each), 0);
console.log(`\n${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

type CoverageSummary = {
  readonly total: {
    readonly lines: { readonly pct: number };
    readonly branches: { readonly pct: number };
  };
};

function coverageLine(file: string): string {
  const { total } = JSON.parse(readFileSync(join(repository, file), 'utf8')) as CoverageSummary;
  return `${total.lines.pct} % of lines, ${total.branches.pct} % of branches`;
}
