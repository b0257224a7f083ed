import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { installAddons } from './addons.ts';
import {
  clusterDaemon,
  clusterPaths,
  clusterProcesses,
  processNames,
  type Binaries,
  type ProcessName,
} from './cluster-processes.ts';
import type { Config } from './config.ts';
import { runningPid, startDaemon, stopDaemon, waitForDaemon } from './daemon.ts';
import { clusterPackages, installPackages } from './debian-packages.ts';
import { goTool, goToolKey, goToolPath } from './go-tool.ts';
import { createNodeNetwork } from './host-network.ts';
import { clusterDifferences, readHostState } from './host-state.ts';
import { buildImages } from './images/build.ts';
import { imageRef, systemImages } from './images/catalog.ts';
import { loadImages } from './images/load.ts';
import { clearLeftovers, LeftoversError, readHostBefore } from './leftovers.ts';
import type { Progress } from './progress.ts';
import { isApiReady, isNodeReady, readiness } from './readiness.ts';
import { writeConfig, type SystemImages } from './write-config.ts';

export type Context = { readonly config: Config; readonly progress: Progress };

export class ClusterError extends Error {
  readonly code = 'ClusterFailed';
}

const first: readonly ProcessName[] = ['containerd', 'etcd', 'kube-apiserver'];

/** Starts the cluster, or says so and does nothing if it runs and is healthy. */
export async function up(context: Context): Promise<void> {
  const { config, progress } = context;
  if (!(await isHealthy(config))) {
    await installPackages(progress, clusterPackages, join(config.cache, 'logs', 'apt.log'));
    const binaries = await prepareHost(context, await buildParts(context));
    await progress.step('starting the control plane', () => startAll(first, binaries));
    await loadImages(context, systemImages);
    const rest = processNames.filter((name) => !first.includes(name));
    await progress.step('starting the node', () => startAll(rest, binaries));
    await installAddons(binaries.kube, systemImageRefs(config));
  }
  progress.note(`the cluster is running; kubeconfig: ${clusterPaths.kubeconfig}`);
}

/** Stops the cluster and gives the machine back as it was; `keepData` spares /var/lib/… . */
export async function down({ progress }: Context, keepData: boolean): Promise<void> {
  const before = readHostBefore();
  await progress.step('stopping the cluster', async () => {
    if (keepData) await stopInOrder();
    await clearLeftovers();
  });
  if (!keepData) {
    await progress.step('removing its data', () =>
      rm(clusterPaths.data, { recursive: true, force: true }),
    );
  }
  if (before === undefined) return;
  const left = clusterDifferences(before, await readHostState());
  if (left.length > 0) {
    throw new LeftoversError(`The cluster is down, but not all is as before:\n${left.join('\n')}`);
  }
  progress.note('the cluster is down; no process, mount, interface or rule of it is left');
}

/** Stops one process and starts it again, with everything else running on. */
export async function restart({ config, progress }: Context, name: ProcessName): Promise<void> {
  const binaries = cachedBinaries(config);
  const daemon = clusterProcesses(binaries)[name];
  await progress.step(`restarting ${name}`, async () => {
    // It would wait a minute for clients to leave; those that watch never do.
    await stopDaemon(daemon, 3_000);
    startDaemon(daemon);
    await waitForDaemon(daemon, readiness(name, binaries));
  });
}

/** Whether every process runs, from binaries of these sources, and the node takes pods. */
export async function isHealthy(config: Config): Promise<boolean> {
  const versionFile = join(clusterPaths.run, 'version');
  if (!existsSync(versionFile) || !existsSync(clusterPaths.kubeconfig)) return false;
  if (readFileSync(versionFile, 'utf8') !== version(config)) return false;
  if (processNames.some((name) => runningPid(clusterDaemon(name)) === undefined)) return false;
  const { kube } = cachedBinaries(config);
  if (!existsSync(kube)) return false;
  return (await isApiReady(kube, clusterPaths.kubeconfig)) && (await isNodeReady(kube));
}

async function buildParts(context: Context): Promise<Binaries> {
  const { config, progress } = context;
  // Side by side: while one is linked, the others have the second processor to themselves.
  const [kube, localPath] = await Promise.all([
    goTool(config, progress, 'kube'),
    goTool(config, progress, 'local-path-provisioner'),
    buildImages(context, systemImages),
  ]);
  return { kube, localPath };
}

async function prepareHost(context: Context, binaries: Binaries): Promise<Binaries> {
  const { config, progress } = context;
  if (readHostBefore() === undefined) await refuseForeignCluster();
  await progress.step('clearing what an earlier run left', clearLeftovers);
  const state = await readHostState();
  mkdirSync(clusterPaths.run, { recursive: true });
  writeFileSync(clusterPaths.hostBefore, JSON.stringify(state, null, 2));
  await createNodeNetwork();
  await writeConfig(systemImageRefs(config));
  writeFileSync(join(clusterPaths.run, 'version'), version(config));
  return binaries;
}

async function refuseForeignCluster(): Promise<void> {
  const host = await readHostState();
  const foreign = host.firewall.some((rule) => rule.includes('KUBE-SERVICES'));
  if (foreign || host.cgroups.length > 0) {
    throw new ClusterError(
      'Another Kubernetes node runs on this machine, and two cannot share its firewall and ' +
        'cgroups. Stop it, or set KUBECONFIG to use that cluster instead of a local one.',
    );
  }
}

async function startAll(names: readonly ProcessName[], binaries: Binaries): Promise<void> {
  const processes = clusterProcesses(binaries);
  for (const name of names) startDaemon(processes[name]);
  for (const name of names) await waitForDaemon(processes[name], readiness(name, binaries));
}

async function stopInOrder(): Promise<void> {
  for (const name of [...processNames].reverse()) await stopDaemon(clusterDaemon(name), 5_000);
}

function cachedBinaries(config: Config): Binaries {
  return {
    kube: goToolPath(config, 'kube'),
    localPath: goToolPath(config, 'local-path-provisioner'),
  };
}

function version(config: Config): string {
  return `${goToolKey(config, 'kube')} ${goToolKey(config, 'local-path-provisioner')}`;
}

function systemImageRefs(config: Config): SystemImages {
  return {
    pause: imageRef(config, 'pause'),
    base: imageRef(config, 'mlops-base'),
    metricsServer: imageRef(config, 'mlops-metrics-server'),
  };
}
