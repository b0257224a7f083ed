import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { build, type Plugin } from 'esbuild';

import type { Config } from '../config.ts';

/** CommonJS packages inside an ES module still look for these. */
const banner = [
  "import { createRequire as $createRequire } from 'node:module';",
  "import { dirname as $dirname } from 'node:path';",
  'const require = $createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = $dirname(__filename);',
].join(' ');

/** Bundles the operator into .build/operator/main.js. */
export async function bundleOperator(config: Config): Promise<void> {
  await bundle(config, 'operator', []);
}

/**
 * Bundles the serving runtime into .build/serving-runtime/main.js, with onnxruntime's native files
 * for this platform beside it; those of other platforms would be most of the image.
 */
export async function bundleServingRuntime(config: Config): Promise<void> {
  const target = await bundle(config, 'serving-runtime', ['onnxruntime-node']);
  const platform = join('bin/napi-v6', process.platform, process.arch);
  for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
    const from = join(config.repository, 'node_modules', name);
    const to = join(target, 'node_modules', name);
    for (const part of ['package.json', 'dist', ...(name.endsWith('node') ? [platform] : [])]) {
      cpSync(join(from, part), join(to, part), { recursive: true });
    }
  }
}

async function bundle(config: Config, name: string, external: readonly string[]): Promise<string> {
  const target = join(config.build, name);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  await bundleProgram({
    repository: config.repository,
    entryPoint: join(config.repository, name, 'main.ts'),
    outfile: join(target, 'main.js'),
    external,
  });
  return target;
}

/** Bundles one program into one file, as the images ship theirs. */
export async function bundleProgram(options: {
  readonly repository: string;
  readonly entryPoint: string;
  readonly outfile: string;
  readonly external?: readonly string[];
}): Promise<void> {
  await build({
    entryPoints: [options.entryPoint],
    outfile: options.outfile,
    absWorkingDir: options.repository,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    plugins: [leanClient],
    external: [...(options.external ?? [])],
    banner: { js: banner },
    logLevel: 'silent',
  });
}

/**
 * What of @kubernetes/client-node a bundle needs: configuration and authentication. Its generated
 * calls to every API of Kubernetes would be 16 of 19 MB and 20 MiB of memory, and nobody makes them
 * (operator/decisions/0002). The class that @dot-i/k8s-operator makes and never uses is empty.
 */
const leanClient: Plugin = {
  name: 'lean-client',
  setup(building) {
    const ours = '@kubernetes/client-node/dist';
    const contents = `
      export { KubeConfig } from '${ours}/config.js';
      export { HttpMethod, RequestContext } from '${ours}/gen/http/http.js';
      export class CoreV1Api {}
    `;
    building.onResolve({ filter: /^@kubernetes\/client-node$/ }, ({ resolveDir }) => ({
      path: 'client-node',
      namespace: 'lean',
      pluginData: resolveDir,
    }));
    building.onLoad({ filter: /^client-node$/, namespace: 'lean' }, ({ pluginData }) => ({
      contents,
      resolveDir: pluginData as string,
    }));
    // Generated modules only export; those that nothing imports may go.
    building.onResolve({ filter: /^\./ }, ({ path, resolveDir, importer }) =>
      /client-node\/dist\/(gen|config\.js)/.test(importer)
        ? { path: resolve(resolveDir, path), sideEffects: false }
        : undefined,
    );
  },
};
