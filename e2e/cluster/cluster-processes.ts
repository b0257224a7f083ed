import { join } from 'node:path';

import { addresses, nodeName, ports } from './addresses.ts';
import { runtimeFolders } from './config-files/container-runtime.ts';
import {
  apiserverFlags,
  controllerManagerFlags,
  etcdFlags,
  schedulerFlags,
  type ControlPlaneSettings,
} from './config-files/control-plane-flags.ts';
import { clusterFolders } from './config.ts';
import type { Daemon } from './daemon.ts';

/** Paths of the programs a cluster consists of. */
export type Binaries = { readonly kube: string; readonly localPath: string };

export const clusterPaths = {
  ...clusterFolders,
  pki: join(clusterFolders.data, 'pki'),
  config: join(clusterFolders.data, 'config'),
  logs: join(clusterFolders.data, 'logs'),
  volumes: join(clusterFolders.data, 'volumes'),
  leases: join(clusterFolders.data, 'pod-addresses'),
  kubelet: join(clusterFolders.data, 'kubelet'),
  kubeconfig: join(clusterFolders.data, 'kubeconfig'),
  hostBefore: join(clusterFolders.run, 'host-before.json'),
  runtime: runtimeFolders(clusterFolders.data, clusterFolders.run),
} as const;

export const controlPlane: ControlPlaneSettings = {
  pki: clusterPaths.pki,
  etcdData: join(clusterPaths.data, 'etcd'),
  address: addresses.node,
  ports,
  serviceRange: addresses.services,
};

/** Kubeconfigs of the programs, by the name of their certificate. */
export function componentKubeconfig(name: string): string {
  return join(clusterPaths.config, `${name}.kubeconfig`);
}

export const processNames = [
  'containerd',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'coredns',
  'local-path-provisioner',
] as const;

export type ProcessName = (typeof processNames)[number];

/** All processes of the cluster, by name. */
export function clusterProcesses(binaries: Binaries): Readonly<Record<ProcessName, Daemon>> {
  const kube = (name: ProcessName, flags: readonly string[]): Daemon =>
    daemon(name, binaries.kube, [name, ...flags]);
  const config = (file: string): string => join(clusterPaths.config, file);
  return {
    containerd: daemon('containerd', 'containerd', ['--config', config('containerd.toml')]),
    etcd: kube('etcd', etcdFlags(controlPlane)),
    'kube-apiserver': kube('kube-apiserver', apiserverFlags(controlPlane)),
    'kube-controller-manager': kube(
      'kube-controller-manager',
      controllerManagerFlags(controlPlane, componentKubeconfig('kube-controller-manager'), 10257),
    ),
    'kube-scheduler': kube(
      'kube-scheduler',
      schedulerFlags(componentKubeconfig('kube-scheduler'), 10259),
    ),
    kubelet: kube('kubelet', [
      `--config=${config('kubelet.json')}`,
      `--kubeconfig=${componentKubeconfig('kubelet-client')}`,
      `--root-dir=${clusterPaths.kubelet}`,
      `--node-ip=${addresses.node}`,
      `--hostname-override=${nodeName}`,
    ]),
    'kube-proxy': kube('kube-proxy', [
      `--config=${config('kube-proxy.json')}`,
      `--hostname-override=${nodeName}`,
    ]),
    coredns: kube('coredns', ['-conf', config('Corefile')]),
    'local-path-provisioner': daemon('local-path-provisioner', binaries.localPath, [
      'start',
      `--config=${config('local-path.json')}`,
      `--helper-pod-file=${config('local-path-helper.yaml')}`,
      `--kubeconfig=${clusterPaths.kubeconfig}`,
      '--namespace=local-path-storage',
      '--service-account-name=default',
    ]),
  };
}

/** What is needed to find, ask or stop a process: all but its command. */
export function clusterDaemon(name: ProcessName): Daemon {
  return daemon(name, '', []);
}

function daemon(name: ProcessName, command: string, args: readonly string[]): Daemon {
  return {
    name,
    command,
    args,
    home: clusterPaths.data,
    pidFile: join(clusterPaths.run, `${name}.pid`),
    logFile: join(clusterPaths.logs, `${name}.log`),
  };
}
