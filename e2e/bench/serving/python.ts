/** Virtual environments with exactly the packages of a requirements file. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../cluster/command.ts';
import type { Config } from '../../cluster/config.ts';
import type { Progress } from '../../cluster/progress.ts';

export type PythonEnvironment = {
  readonly folder: string;
  readonly python: string;
  /** The program of a package that is installed in it. */
  readonly program: (name: string) => string;
  readonly sitePackages: string;
};

/** The peers' wheels are for this one. */
const interpreter = 'python3.11';

/** Made once for each content of the file; throws with the reason where the packages do not install. */
export const pythonEnvironment = async (
  config: Config,
  progress: Progress,
  name: string,
  requirements: string,
): Promise<PythonEnvironment> => {
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const folder = join(config.cache, 'python', `${name}-${key}`);
  const done = join(folder, 'complete');
  if (!existsSync(done)) {
    await progress.step(`installing ${name} from PyPI`, async () => {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(config.build, { recursive: true });
      const logFile = join(config.build, `pip-${name}.log`);
      await run(interpreter, ['-m', 'venv', folder], { logFile });
      const args = ['install', '--no-deps', '--only-binary=:all:', '-q', '-r', requirements];
      await run(join(folder, 'bin/pip'), args, { logFile });
      writeFileSync(done, '');
    });
  }
  return {
    folder,
    python: join(folder, 'bin/python'),
    program: (program) => join(folder, 'bin', program),
    sitePackages: join(folder, 'lib', interpreter, 'site-packages'),
  };
};
