import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { clusterPaths } from './cluster-processes.ts';
import { kubectl } from './kubectl.ts';
import type { SystemImages } from './write-config.ts';

/** Installs the default StorageClass and metrics-server; neither is waited for. */
export async function installAddons(kube: string, images: SystemImages): Promise<void> {
  const folder = join(import.meta.dirname, 'addons');
  const manifests = ['local-path.yaml', 'metrics-server.yaml']
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n---\n')
    .replaceAll('${METRICS_SERVER_IMAGE}', images.metricsServer);
  await kubectl(kube, clusterPaths.kubeconfig, ['apply', '-f', '-'], manifests);
}
