import { nodeName } from './addresses.ts';
import { clusterPaths, type Binaries, type ProcessName } from './cluster-processes.ts';
import { succeeds } from './command.ts';
import { kubectl } from './kubectl.ts';

/** How to ask each process whether it does its work; those without a question need only be alive. */
export function readiness(name: ProcessName, binaries: Binaries): () => Promise<boolean> {
  const questions: Partial<Record<ProcessName, () => Promise<boolean>>> = {
    containerd: () => succeeds('ctr', ['-a', clusterPaths.runtime.socket, 'version']),
    etcd: () => answersHttp('http://127.0.0.1:12379/health'),
    'kube-apiserver': () => isApiReady(binaries.kube, clusterPaths.kubeconfig),
    kubelet: () => isNodeReady(binaries.kube),
    coredns: () => answersHttp(`http://127.0.0.1:8181/ready`),
    'kube-proxy': () => answersHttp('http://127.0.0.1:10256/healthz'),
  };
  return questions[name] ?? (() => Promise.resolve(true));
}

export async function isApiReady(kube: string, kubeconfig: string): Promise<boolean> {
  return succeeds(kube, ['kubectl', `--kubeconfig=${kubeconfig}`, 'get', '--raw=/readyz']);
}

export async function isNodeReady(kube: string): Promise<boolean> {
  const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  try {
    const args = ['get', 'node', nodeName, '-o', path];
    return (await kubectl(kube, clusterPaths.kubeconfig, args)) === 'True';
  } catch {
    // Not registered yet, or the API server is away: both mean "not yet".
    return false;
  }
}

async function answersHttp(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}
