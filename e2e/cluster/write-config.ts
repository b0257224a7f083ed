import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { addresses, nodeName, ports } from './addresses.ts';
import { createCertificates, readIdentity } from './certificates.ts';
import { clusterPaths, componentKubeconfig } from './cluster-processes.ts';
import { containerdConfig, podNetwork } from './config-files/container-runtime.ts';
import { kubeconfig } from './config-files/kubeconfig.ts';
import { localPathConfig, localPathHelper } from './config-files/local-path.ts';
import { corefile, kubeletConfig, proxyConfig } from './config-files/node.ts';

/** Refs of the images that the cluster itself needs before any of ours runs. */
export type SystemImages = {
  readonly pause: string;
  readonly base: string;
  readonly metricsServer: string;
};

/** Writes every key, kubeconfig and configuration file of the cluster. */
export async function writeConfig(images: SystemImages): Promise<void> {
  const { pki, config, data, runtime } = clusterPaths;
  for (const folder of [config, runtime.networks, clusterPaths.volumes, clusterPaths.run]) {
    mkdirSync(folder, { recursive: true });
  }
  await createCertificates(pki, addresses.node, nodeName);
  for (const name of [
    'kubelet-client',
    'kube-controller-manager',
    'kube-scheduler',
    'kube-proxy',
  ]) {
    writeSecret(componentKubeconfig(name), userKubeconfig(name));
  }
  writeSecret(clusterPaths.kubeconfig, userKubeconfig('admin'));
  const files: Readonly<Record<string, string>> = {
    'containerd.toml': containerdConfig(runtime, images.pause),
    'networks/10-mlops.conflist': podNetwork(clusterPaths.leases),
    'kubelet.json': kubeletConfig({ pki, data, runtimeSocket: runtime.socket }),
    'kube-proxy.json': proxyConfig(componentKubeconfig('kube-proxy')),
    Corefile: corefile(clusterPaths.kubeconfig),
    'local-path.json': localPathConfig(clusterPaths.volumes),
    'local-path-helper.yaml': localPathHelper(images.base),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(config, name), text);
}

function userKubeconfig(name: string): string {
  const server = `https://${addresses.node}:${ports.apiserver}`;
  return kubeconfig(server, name, readIdentity(clusterPaths.pki, name));
}

function writeSecret(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}
