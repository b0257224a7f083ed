import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BUGS, type Bug } from './bugs.ts';

/**
 * Puts one bug after the other into a copy of the tree and lets the simulation look for it:
 * `mutations.ts [--seeds 1000] [--only word]`. Fails when a bug is not found, or when the code it is
 * to be put into is no longer there.
 */
const ROOT = join(import.meta.dirname, '../..');
const COPIED = ['operator', 'crds', 'serving-runtime', 'e2e/simulation', 'package.json'];

type Finding = { readonly bug: Bug; readonly found: string; readonly ok: boolean };

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      only: { type: 'string', default: '' },
    },
  });
  const bugs = BUGS.filter(({ name }) => name.includes(values.only));
  const mutated = bugs.map((bug) => ({ bug, source: mutate(bug) }));
  const findings: Finding[] = [];
  for (const { bug, source } of mutated) {
    const finding = await lookFor(bug, source, values.seeds);
    console.log(`${bug.name}: ${finding.found}`);
    findings.push(finding);
  }
  console.log(`\n| bug | where | found |\n|---|---|---|`);
  for (const { bug, found } of findings) console.log(`| ${bug.name} | ${bug.file} | ${found} |`);
  const found = findings.filter(({ ok }) => ok).length;
  console.log(`\n${found}/${findings.length} bugs found`);
  return found === findings.length ? 0 : 1;
};

/** The file with the bug in it; throws when its place is not there, or there more than once. */
const mutate = ({ name, file, from, to }: Bug): string => {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const places = source.split(from).length - 1;
  if (places !== 1)
    throw new Error(
      `${file} holds ${places} times what "${name}" replaces; correct e2e/simulation/bugs.ts:\n${from}`,
    );
  return source.replace(from, () => to);
};

const lookFor = async (bug: Bug, source: string, seeds: string): Promise<Finding> => {
  const dir = mkdtempSync(join(tmpdir(), 'mlops-mutation-'));
  try {
    for (const each of COPIED) cpSync(join(ROOT, each), join(dir, each), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    writeFileSync(join(dir, bug.file), source);
    const output = await simulation(dir, seeds);
    const violation = /^seed (\d+) violates: (.*)$/m.exec(output);
    return violation === null
      ? { bug, ok: false, found: `NOT FOUND: ${output.trim().split('\n').at(-1) ?? ''}` }
      : { bug, ok: true, found: `seed ${violation[1] ?? ''}: ${violation[2] ?? ''}` };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

const simulation = (dir: string, seeds: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const program = join(dir, 'e2e/simulation/main.ts');
    const child = spawn(process.execPath, [program, '--seeds', seeds, '--first'], { cwd: dir });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('exit', () => resolve(output));
  });

process.exitCode = await main();
