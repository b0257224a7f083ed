/**
 * Addresses of the local cluster. All three ranges are set aside for purposes that never meet a
 * developer's machine (RFC 6598 shared address space, RFC 2544 benchmarks), so they cannot hide a
 * network the machine is really connected to.
 */
export const addresses = {
  /** Node, API server and DNS, on a bridge of our own. */
  node: '100.127.0.1',
  pods: '100.64.0.0/16',
  services: '198.18.0.0/16',
} as const;

export const nodeName = 'local';
export const bridge = 'mlops0';

export const ports = { apiserver: 6443, etcd: 12379, etcdPeer: 12380, kubelet: 10250 } as const;
