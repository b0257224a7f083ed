import { join } from 'node:path';

/** What etcd, the API server and the controllers need to know of one another. */
export type ControlPlaneSettings = {
  /** Folder of keys and certificates (see certificates.ts). */
  readonly pki: string;
  readonly etcdData: string;
  /** Address the API server listens on and names as its own. */
  readonly address: string;
  readonly ports: { readonly apiserver: number; readonly etcd: number; readonly etcdPeer: number };
  readonly serviceRange: string;
};

export function etcdFlags(settings: ControlPlaneSettings): readonly string[] {
  const client = `http://127.0.0.1:${settings.ports.etcd}`;
  const peer = `http://127.0.0.1:${settings.ports.etcdPeer}`;
  return [
    '--name=local',
    `--data-dir=${settings.etcdData}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=local=${peer}`,
    // The cluster is thrown away; waiting for the disk would only make every write slow.
    '--unsafe-no-fsync=true',
    '--log-level=warn',
  ];
}

export function apiserverFlags(settings: ControlPlaneSettings): readonly string[] {
  const pki = (file: string): string => join(settings.pki, file);
  return [
    `--etcd-servers=http://127.0.0.1:${settings.ports.etcd}`,
    `--bind-address=${settings.address}`,
    `--advertise-address=${settings.address}`,
    `--secure-port=${settings.ports.apiserver}`,
    `--service-cluster-ip-range=${settings.serviceRange}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--client-ca-file=${pki('ca.crt')}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-certificate-authority=${pki('ca.crt')}`,
    `--kubelet-client-certificate=${pki('apiserver-kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('apiserver-kubelet-client.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${pki('service-accounts.pub')}`,
    `--service-account-signing-key-file=${pki('service-accounts.key')}`,
    '--enable-aggregator-routing=true',
    `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
    `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
    // The reconciler refuses to publish a loopback address, which tests listen on.
    ...(settings.address.startsWith('127.') ? ['--endpoint-reconciler-type=none'] : []),
  ];
}

export function controllerManagerFlags(
  settings: ControlPlaneSettings,
  kubeconfig: string,
  port: number,
): readonly string[] {
  const pki = (file: string): string => join(settings.pki, file);
  return [
    ...clientFlags(kubeconfig),
    `--secure-port=${port}`,
    '--use-service-account-credentials=true',
    `--root-ca-file=${pki('ca.crt')}`,
    `--service-account-private-key-file=${pki('service-accounts.key')}`,
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
    `--service-cluster-ip-range=${settings.serviceRange}`,
    '--allocate-node-cidrs=false',
  ];
}

export function schedulerFlags(kubeconfig: string, port: number): readonly string[] {
  return [...clientFlags(kubeconfig), `--secure-port=${port}`];
}

function clientFlags(kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
  ];
}
