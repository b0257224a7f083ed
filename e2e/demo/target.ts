import { resolve } from 'node:path';

import { clusterPaths } from '../cluster/cluster-processes.ts';
import { up, type Context } from '../cluster/cluster.ts';
import { run, succeeds } from '../cluster/command.ts';
import { goTool } from '../cluster/go-tool.ts';
import type { Helm } from '../cluster/helm-release.ts';
import { buildImages, imageRefs, pushImages, type ImageRefs } from '../cluster/images/build.ts';
import { publishedImages, type ImageName } from '../cluster/images/catalog.ts';
import { loadImages } from '../cluster/images/load.ts';
import { kubectlPath } from '../cluster/tools.ts';

/** The cluster the demo runs on, and the programs it talks to it with. */
export type Target = {
  readonly local: boolean;
  readonly kubeconfig: string;
  /** Name → reference of the images to use; the rest come from where the chart says. */
  readonly images: ImageRefs;
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  readonly helm: Helm;
};

export class DemoError extends Error {
  readonly code = 'DemoFailed';
}

/** Images that exist nowhere but here; the bundled services have public ones. */
const ownImages: readonly ImageName[] = [
  'mlops-operator',
  'mlops-serving-runtime',
  'mlops-operator-hpo',
  'mlops-trainer-digits',
];

/** The cluster of KUBECONFIG, or the local one, started; and images where it can get them. */
export async function prepareTarget(context: Context, kubeconfig = ''): Promise<Target> {
  const foreign = kubeconfig !== '' && resolve(kubeconfig) !== clusterPaths.kubeconfig;
  if (foreign) return foreignTarget(context, kubeconfig);
  const { progress } = context;
  progress.note(
    kubeconfig === ''
      ? 'KUBECONFIG is not set: using the local cluster, which is built from packages'
      : 'KUBECONFIG names the local cluster: using it',
  );
  progress.note(
    'the first run takes a quarter of an hour, mostly builds; later ones a minute or two',
  );
  await up(context);
  const images = await loadImages(context, publishedImages);
  return programs(context, { local: true, kubeconfig: clusterPaths.kubeconfig, images });
}

async function foreignTarget(context: Context, kubeconfig: string): Promise<Target> {
  const { config, progress } = context;
  const kubectl = (await succeeds('kubectl', ['version', '--client']))
    ? 'kubectl'
    : await kubectlPath(config, progress);
  const ask = (...args: string[]) => run(kubectl, args, { env: { KUBECONFIG: kubeconfig } });
  const name = (await ask('config', 'current-context')).trim();
  const server = await ask(
    'config',
    'view',
    '--minify',
    '-o',
    'jsonpath={.clusters[0].cluster.server}',
  );
  progress.note(
    `KUBECONFIG is set: using context ${name} (${server}); no local cluster is started`,
  );
  if (config.registry === 'localhost') {
    throw new DemoError(
      'That cluster cannot see images built here. Set IMAGE_REGISTRY to a registry it pulls from; ' +
        'with PUSH=1 the demo pushes them there first.',
    );
  }
  const images = config.push
    ? await buildImages(context, ownImages)
    : await imageRefs(context, ownImages);
  if (config.push) await pushImages(context, images);
  for (const ref of Object.values(images)) progress.note(`image: ${ref}`);
  return programs(context, { local: false, kubeconfig, images }, kubectl);
}

async function programs(
  { config, progress }: Context,
  target: Pick<Target, 'local' | 'kubeconfig' | 'images'>,
  kubectl?: string,
): Promise<Target> {
  const env = { KUBECONFIG: target.kubeconfig };
  const helm = await goTool(config, progress, 'helm');
  const client = kubectl ?? (await kubectlPath(config, progress));
  return {
    ...target,
    kubectl: (args, input) => run(client, args, { env, ...(input === undefined ? {} : { input }) }),
    helm: (args, logFile) =>
      run(helm, args, { env, ...(logFile === undefined ? {} : { logFile }) }),
  };
}
