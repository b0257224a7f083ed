import { join } from 'node:path';
import { readConfig } from '../../cluster/config.ts';
import { bundleProgram } from '../../cluster/images/bundle.ts';

/** The operator as its image has it; returns the file to run. */
export const bundleRealOperator = async (): Promise<string> => {
  const { build, repository } = readConfig();
  const outfile = join(build, 'bench-trials', 'main.js');
  const entryPoint = join(repository, 'operator/main.ts');
  await bundleProgram({ repository, entryPoint, outfile });
  return outfile;
};
