import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Check } from './checks.ts';

export type Verdict = {
  readonly name: string;
  readonly ok: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly coverage?: string;
};

/** Runs one gate with its output in `.build/logs` and, for tests and failures, on the terminal too. */
export const runCheck = async (check: Check, repository: string): Promise<Verdict> => {
  const startedAt = performance.now();
  console.log(`\n=== ${check.name}`);
  if (check.results !== undefined) rmSync(join(repository, check.results), { force: true });
  const code = await runLogged(check, repository);
  const seconds = (performance.now() - startedAt) / 1000;
  const counted = countOf(check, repository, code);
  console.log(
    `=== ${check.name}: ${code === 0 ? 'ok' : `failed (${code})`}, ${seconds.toFixed(1)} s`,
  );
  const written = check.coverage !== undefined && existsSync(join(repository, check.coverage));
  return {
    name: check.name,
    ok: code === 0,
    ...counted,
    seconds,
    ...(written && { coverage: check.coverage }),
  };
};

const runLogged = (check: Check, repository: string): Promise<number> => {
  const [program = '', ...args] = check.command;
  const logs = join(repository, '.build/logs');
  mkdirSync(logs, { recursive: true });
  const log = createWriteStream(join(logs, `${check.name.replaceAll(' ', '-')}.log`));
  const child = spawn(program, args, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.pipe(log, { end: false });
    stream.pipe(process.stdout, { end: false });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      log.end();
      resolve(code ?? 1);
    });
  });
};

type JestResults = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
};

/** A gate that is no test counts as one; a suite that did not even load counts as one failure. */
const countOf = (
  check: Check,
  repository: string,
  code: number,
): { passed: number; failed: number } => {
  const file = check.results === undefined ? undefined : join(repository, check.results);
  if (file === undefined || !existsSync(file))
    return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(
    readFileSync(file, 'utf8'),
  ) as JestResults;
  const failed = Math.max(numFailedTests, numFailedTestSuites, code === 0 ? 0 : 1);
  return { passed: numPassedTests, failed };
};
