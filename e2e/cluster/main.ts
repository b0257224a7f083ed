import { join } from 'node:path';

import { processNames, clusterPaths, type ProcessName } from './cluster-processes.ts';
import { down, restart, up, type Context } from './cluster.ts';
import { readConfig } from './config.ts';
import { goTool, goTools, type GoToolName } from './go-tool.ts';
import {
  buildImages,
  imageRefs,
  pushImages,
  writeImageRefs,
  type ImageRefs,
} from './images/build.ts';
import { bundleOperator, bundleServingRuntime } from './images/bundle.ts';
import { istioImages, publishedImages, systemImages, type ImageName } from './images/catalog.ts';
import { loadImages } from './images/load.ts';
import { installIstio } from './istio/install.ts';
import { createProgress, slowestSteps } from './progress.ts';
import { kubectlPath } from './tools.ts';

type Command = (context: Context, args: readonly string[]) => Promise<void>;

const usage = `usage: node e2e/cluster/main.ts COMMAND
  up             start the cluster; quick when it runs already
  down [--keep]  stop it; its data go too unless --keep
  restart NAME   restart one process: ${processNames.join(', ')}
  kubeconfig     print the kubeconfig's path
  istio          start the cluster with Istio and a gateway; prints the gateway's address
  images [NAME…] build all images, or some (PUSH=1 IMAGE_REGISTRY=… pushes them)
  images-list    print name=ref of every image
  load [NAME…]   build images and load them into the running cluster
  bundle         bundle operator and serving runtime into .build, for a build elsewhere
  tool NAME      print the path of kubectl, helm, … and build it if need be
  slowest        print the ten slowest steps so far`;

const commands: Readonly<Record<string, Command>> = {
  up: (context) => up(context),
  down: (context, args) => down(context, args.includes('--keep')),
  restart: (context, [name]) => restart(context, processName(name)),
  kubeconfig: async () => print(clusterPaths.kubeconfig),
  istio: async (context) => {
    await up(context);
    print(await installIstio(context));
  },
  images: async (context, names) => {
    const refs = await buildImages(context, imageNames(names));
    if (context.config.push) await pushImages(context, refs);
    publish(context, refs);
  },
  'images-list': async (context) => publish(context, await imageRefs(context, publishedImages)),
  load: async (context, names) => {
    publish(context, await loadImages(context, imageNames(names)));
  },
  bundle: async ({ config, progress }) => {
    await progress.step('bundling the programs', async () => {
      await bundleOperator(config);
      await bundleServingRuntime(config);
    });
  },
  tool: async ({ config, progress }, [name]) =>
    print(
      name === 'kubectl'
        ? await kubectlPath(config, progress)
        : await goTool(config, progress, toolName(name)),
    ),
  slowest: async ({ config }) => {
    for (const { step, seconds } of slowestSteps(timingsFile(config.build), 10)) {
      print(`${seconds.toFixed(1).padStart(7)} s  ${step}`);
    }
  },
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
const config = readConfig();
const progress = createProgress({ timingsFile: timingsFile(config.build) });
if (command === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  try {
    await command({ config, progress }, args);
  } catch (error) {
    progress.note(`failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

function publish({ config }: Context, refs: ImageRefs): void {
  writeImageRefs(config, refs);
  for (const [image, ref] of Object.entries(refs)) print(`${image}=${ref}`);
}

function processName(wanted: string | undefined): ProcessName {
  const found = processNames.find((known) => known === wanted || known === `kube-${wanted}`);
  if (found === undefined)
    throw new Error(`No process ${wanted}; there are ${processNames.join(', ')}`);
  return found;
}

function imageNames(wanted: readonly string[]): readonly ImageName[] {
  const known = [...publishedImages, ...systemImages, ...istioImages];
  const unknown = wanted.filter((name) => !known.some((image) => image === name));
  if (unknown.length > 0) {
    throw new Error(`No image ${unknown.join(', ')}; there are ${known.join(', ')}`);
  }
  return wanted.length === 0 ? publishedImages : known.filter((image) => wanted.includes(image));
}

function toolName(wanted: string | undefined): GoToolName {
  const names = Object.keys(goTools) as GoToolName[];
  const found = names.find((known) => known === wanted);
  if (found === undefined)
    throw new Error(`No tool ${wanted}; there are kubectl, ${names.join(', ')}`);
  return found;
}

function timingsFile(build: string): string {
  return join(build, 'timings.jsonl');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
