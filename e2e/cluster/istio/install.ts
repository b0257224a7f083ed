import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { clusterPaths } from '../cluster-processes.ts';
import { run } from '../command.ts';
import type { Config } from '../config.ts';
import { goTool, goToolKey } from '../go-tool.ts';
import { freeRelease, type Helm } from '../helm-release.ts';
import { shortHash } from '../images/hash.ts';
import { istioImages } from '../images/catalog.ts';
import { loadImages } from '../images/load.ts';
import { kubectl } from '../kubectl.ts';
import type { Progress } from '../progress.ts';
import { istioSources } from './sources.ts';
import { gatewayValues, istiodValues } from './values.ts';

type Context = { readonly config: Config; readonly progress: Progress };

type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

const namespace = 'istio-system';
/** Name of the gateway's Deployment and Service, the one that Istio's documentation has. */
const ingress = 'istio-ingressgateway';
const recipeAnnotation = 'mlops.pynomaly.io/recipe';

/**
 * Installs istiod, one ingress gateway and the Gateway `istio-system/gateway` in the running local
 * cluster, waits until they are ready, and returns the gateway's address (port 80). Builds Istio
 * first where that never happened; takes a second or two when all is there.
 */
export async function installIstio(context: Context): Promise<string> {
  const { config, progress } = context;
  const kube = await goTool(config, progress, 'kube');
  const ask: Kubectl = (args, input) => kubectl(kube, clusterPaths.kubeconfig, args, input);
  const images = await loadImages(context, istioImages);
  const values = {
    istiod: istiodValues({
      pilot: images['mlops-istio-pilot'] ?? '',
      proxy: images['mlops-istio-proxy'] ?? '',
    }),
    gateway: gatewayValues(),
  };
  const manifest = readFileSync(join(import.meta.dirname, '../addons/istio-gateway.yaml'), 'utf8');
  const recipe = shortHash([JSON.stringify(values), manifest, goToolKey(config, 'pilot-agent')]);
  if ((await installedRecipe(ask)) !== recipe) {
    const install = await installer(context);
    await install('istio-base', 'base', {});
    await install('istiod', 'istiod', values.istiod);
    await ready(progress, ask, 'istiod');
    // Only now: istiod is what fills in the gateway's pod.
    await install(ingress, 'gateway', values.gateway);
    await ready(progress, ask, ingress);
    await ask(['apply', '-f', '-'], manifest);
    const gateway = ['gateways.networking.istio.io/gateway', '-n', namespace];
    await ask(['annotate', ...gateway, '--overwrite', `${recipeAnnotation}=${recipe}`]);
  } else {
    await ready(progress, ask, 'istiod');
    await ready(progress, ask, ingress);
  }
  return ask(['get', 'service', ingress, '-n', namespace, '-o', 'jsonpath={.spec.clusterIP}']);
}

/** What the last complete installation was made of; empty where there was none. */
async function installedRecipe(ask: Kubectl): Promise<string> {
  const definition = 'gateways.networking.istio.io';
  if ((await ask(['get', 'crd', definition, '--ignore-not-found', '-o', 'name'])) === '') return '';
  const found = ['get', definition, 'gateway', '-n', namespace, '--ignore-not-found'];
  const path = recipeAnnotation.replaceAll('.', '\\.');
  return ask([...found, '-o', `jsonpath={.metadata.annotations.${path}}`]);
}

type Install = (
  release: string,
  chart: 'base' | 'istiod' | 'gateway',
  values: Readonly<Record<string, unknown>>,
) => Promise<void>;

/** Installs or upgrades one of Istio's charts. */
async function installer({ config, progress }: Context): Promise<Install> {
  const program = await goTool(config, progress, 'helm');
  const { charts } = await istioSources(config);
  const env = { KUBECONFIG: clusterPaths.kubeconfig };
  const helm: Helm = (args, logFile) =>
    run(program, args, { env, ...(logFile === undefined ? {} : { logFile }) });
  const folder = join(config.build, 'istio');
  mkdirSync(folder, { recursive: true });
  return async (release, chart, values) => {
    const file = join(folder, `${release}.values.json`);
    writeFileSync(file, JSON.stringify(values, null, 2));
    await progress.step(`installing ${release} into ${namespace}`, async () => {
      await freeRelease(helm, release, namespace);
      await helm(
        [
          ...['upgrade', '--install', release, charts[chart], '--values', file],
          ...['--namespace', namespace, '--create-namespace', '--timeout', '3m'],
        ],
        join(folder, 'helm.log'),
      );
    });
  };
}

async function ready(progress: Progress, ask: Kubectl, deployment: string): Promise<void> {
  await progress.step(`waiting for ${deployment}`, async () => {
    const where = ['-n', namespace, `deployment/${deployment}`];
    try {
      await ask(['rollout', 'status', ...where, '--timeout=180s']);
    } catch (error) {
      const pods = await ask(['get', 'pods', '-n', namespace, '-o', 'wide']);
      const events = await ask(['events', '-n', namespace, '--types=Warning']);
      const cause = error instanceof Error ? error.message : String(error);
      throw new Error(`${cause}\n${pods}${events}`, { cause: error });
    }
  });
}
