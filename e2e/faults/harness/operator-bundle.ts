import { join } from 'node:path';

import { bundleProgram } from '../../cluster/images/bundle.ts';

const repository = join(import.meta.dirname, '../../..');

/** Bundles the small operator of e2e/workload, as images bundle theirs; returns the file to run. */
export const bundleOperator = async (): Promise<string> => {
  const outfile = join(repository, '.build/faults/operator.js');
  const entryPoint = join(repository, 'e2e/workload/main.ts');
  await bundleProgram({ repository, entryPoint, outfile });
  return outfile;
};
