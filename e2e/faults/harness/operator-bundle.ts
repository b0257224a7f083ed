import { join } from 'node:path';
import { build } from 'esbuild';

const repository = join(import.meta.dirname, '../../..');

/** CommonJS packages inside an ES module still look for these. */
const banner = [
  "import { createRequire as $createRequire } from 'node:module';",
  "import { dirname as $dirname } from 'node:path';",
  'const require = $createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = $dirname(__filename);',
].join(' ');

/** Bundles the small operator of e2e/workload, as images bundle theirs; returns the file to run. */
export const bundleOperator = async (): Promise<string> => {
  const outfile = join(repository, '.build/faults/operator.js');
  await build({
    entryPoints: [join(repository, 'e2e/workload/main.ts')],
    outfile,
    absWorkingDir: repository,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner: { js: banner },
    logLevel: 'silent',
  });
  return outfile;
};
