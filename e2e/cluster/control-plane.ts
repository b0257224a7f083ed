import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createCertificates, readIdentity } from './certificates.ts';
import {
  apiserverFlags,
  controllerManagerFlags,
  etcdFlags,
  type ControlPlaneSettings,
} from './config-files/control-plane-flags.ts';
import { kubeconfig } from './config-files/kubeconfig.ts';
import { readConfig } from './config.ts';
import { goTool } from './go-tool.ts';
import { createProgress } from './progress.ts';
import { isApiReady } from './readiness.ts';
import { freePorts } from './servers/free-port.ts';
import { startServer, type Server } from './servers/server.ts';

/** A kube-apiserver with its etcd, on loopback, with nothing that would run a pod. */
export type ControlPlane = {
  /** Path of an admin's kubeconfig. */
  readonly kubeconfig: string;
  readonly url: string;
  /** Stops the API server alone and starts it again on the same port, as after a crash. */
  restartApiserver(): Promise<void>;
  stop(): Promise<void>;
};

export type ControlPlaneOptions = {
  /** An empty folder for data, keys and logs; the caller removes it. */
  readonly dir: string;
  readonly ports?: ControlPlaneSettings['ports'];
  /**
   * Also run kube-controller-manager, without which no namespace is ever emptied, no owned object
   * collected and no service account made. Off by default: it costs a second and 100 MB.
   */
  readonly controllers?: boolean;
  /** Further flags of the API server, such as an audit log's. */
  readonly apiserverFlags?: readonly string[];
};

/** Starts etcd and a real API server in a few seconds (and builds them first, once per machine). */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const config = readConfig();
  const progress = createProgress({ timingsFile: join(config.build, 'timings.jsonl') });
  const kube = await goTool(config, progress, 'kube');
  const settings = await settingsFor(options);
  await createCertificates(settings.pki, settings.address, 'none');
  const url = `https://127.0.0.1:${settings.ports.apiserver}`;
  const kubeconfigFile = join(options.dir, 'kubeconfig');
  writeFileSync(kubeconfigFile, kubeconfig(url, 'admin', readIdentity(settings.pki, 'admin')), {
    mode: 0o600,
  });
  const log = (name: string): string => join(options.dir, `${name}.log`);
  const apiserver = (): Promise<Server> =>
    startServer({
      command: kube,
      args: ['kube-apiserver', ...apiserverFlags(settings), ...(options.apiserverFlags ?? [])],
      logFile: log('kube-apiserver'),
      ready: () => isApiReady(kube, kubeconfigFile),
    });
  const etcd = await startServer({
    command: kube,
    args: ['etcd', ...etcdFlags(settings)],
    logFile: log('etcd'),
    ready: async () => true,
  });
  let api = await apiserver().catch(async (error: unknown) => {
    await etcd.stop();
    throw error;
  });
  const controllers = options.controllers ? await startControllers() : undefined;

  async function startControllers(): Promise<Server> {
    const [port = 0] = await freePorts(1);
    return startServer({
      command: kube,
      args: ['kube-controller-manager', ...controllerManagerFlags(settings, kubeconfigFile, port)],
      logFile: log('kube-controller-manager'),
      ready: async () => true,
    });
  }

  return {
    kubeconfig: kubeconfigFile,
    url,
    async restartApiserver() {
      await api.stop();
      api = await apiserver();
    },
    async stop() {
      await controllers?.stop();
      await api.stop();
      await etcd.stop();
    },
  };
}

async function settingsFor(options: ControlPlaneOptions): Promise<ControlPlaneSettings> {
  mkdirSync(options.dir, { recursive: true });
  const [apiserver = 0, etcd = 0, etcdPeer = 0] = await freePorts(3);
  return {
    pki: join(options.dir, 'pki'),
    etcdData: join(options.dir, 'etcd'),
    address: '127.0.0.1',
    ports: options.ports ?? { apiserver, etcd, etcdPeer },
    serviceRange: '198.18.0.0/16',
  };
}
