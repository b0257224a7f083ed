import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * The interpreter of a virtual environment with the packages that the file `requirements` pins, made once for
 * each content of it and kept in the user's cache. Rejects with pip's words where they do not install.
 */
export const pythonWith = async (name: string, requirements: string): Promise<string> => {
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mlops-operator');
  const venv = join(cache, `venv-${name}-${hash}`);
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
