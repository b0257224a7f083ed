import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const serviceFolder = join(import.meta.dirname, '..');

/** A Python with what the search service and its tests need, made once for each list of them. */
export const servicePython = async (): Promise<string> => {
  const requirements = join(serviceFolder, 'requirements-test.txt');
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mlops-operator');
  const venv = join(cache, `venv-hpo-${hash}`);
  const made = join(venv, 'complete');
  if (!existsSync(made)) {
    await mkdir(cache, { recursive: true });
    await rm(venv, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', venv]);
    await run(join(venv, 'bin', 'pip'), ['install', '--quiet', '--requirement', requirements]);
    // Last, so that an installation that was cut off is made again.
    await mkdir(made);
  }
  return join(venv, 'bin', 'python');
};
