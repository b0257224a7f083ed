import { join } from 'node:path';

import { addresses, ports } from '../addresses.ts';

type KubeletSettings = {
  readonly pki: string;
  readonly data: string;
  readonly runtimeSocket: string;
};

/** KubeletConfiguration as JSON (which is YAML). */
export function kubeletConfig(settings: KubeletSettings): string {
  return JSON.stringify(
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      address: addresses.node,
      port: ports.kubelet,
      tlsCertFile: join(settings.pki, 'kubelet.crt'),
      tlsPrivateKeyFile: join(settings.pki, 'kubelet.key'),
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: join(settings.pki, 'ca.crt') },
      },
      authorization: { mode: 'Webhook' },
      containerRuntimeEndpoint: `unix://${settings.runtimeSocket}`,
      cgroupDriver: 'cgroupfs',
      failCgroupV1: false,
      failSwapOn: false,
      clusterDNS: [addresses.node],
      clusterDomain: 'cluster.local',
      podLogsDir: join(settings.data, 'pod-logs'),
      volumePluginDir: join(settings.data, 'volume-plugins'),
      serializeImagePulls: false,
      // Images are loaded, not pulled: one that was cleared away could not come back by itself.
      imageGCHighThresholdPercent: 100,
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1Gi' },
    },
    null,
    2,
  );
}

export function proxyConfig(kubeconfig: string): string {
  return JSON.stringify(
    {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'iptables',
      bindAddress: addresses.node,
      clusterCIDR: addresses.pods,
      clientConnection: { kubeconfig },
      // Zero leaves the machine's own connection tracking limit alone.
      conntrack: { maxPerCore: 0 },
      iptables: { minSyncPeriod: '100ms' },
      healthzBindAddress: '127.0.0.1:10256',
      metricsBindAddress: '127.0.0.1:10249',
    },
    null,
    2,
  );
}

/** Cluster names from the API server, all others from the machine's own resolver. */
export function corefile(kubeconfig: string): string {
  return `.:53 {
    bind ${addresses.node}
    errors
    ready 127.0.0.1:8181
    kubernetes cluster.local in-addr.arpa {
        kubeconfig ${kubeconfig}
        pods insecure
        ttl 5
    }
    forward . /etc/resolv.conf
    cache 5 {
        disable success cluster.local
        disable denial cluster.local
    }
}
`;
}
