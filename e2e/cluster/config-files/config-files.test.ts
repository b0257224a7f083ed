import { describe, expect, test } from '@jest/globals';

import { containerdConfig, podNetwork, runtimeFolders } from './container-runtime.ts';
import { apiserverFlags, etcdFlags, type ControlPlaneSettings } from './control-plane-flags.ts';
import { kubeconfig } from './kubeconfig.ts';
import { localPathConfig, localPathHelper } from './local-path.ts';
import { corefile, kubeletConfig, proxyConfig } from './node.ts';

const settings: ControlPlaneSettings = {
  pki: '/data/pki',
  etcdData: '/data/etcd',
  address: '100.127.0.1',
  ports: { apiserver: 6443, etcd: 1, etcdPeer: 2 },
  serviceRange: '198.18.0.0/16',
};

describe('container runtime', () => {
  const folders = runtimeFolders('/data', '/run/c');

  test('keeps to folders of its own', () => {
    const config = containerdConfig(folders, 'localhost/pause:1');
    expect(config).toContain('root = "/data/containerd"');
    expect(config).toContain('state = "/run/c/containerd"');
    expect(config).toContain('address = "/run/c/containerd/containerd.sock"');
    expect(config).toContain('sandbox_image = "localhost/pause:1"');
    expect(config).toContain('restrict_oom_score_adj = true');
  });

  test('gives pods addresses of the pod range through a routed pair', () => {
    const network = JSON.parse(podNetwork('/data/leases')) as {
      plugins: { type: string; ipam?: { ranges: { subnet: string }[][] } }[];
    };
    expect(network.plugins.map(({ type }) => type)).toEqual(['ptp', 'portmap', 'firewall']);
    expect(network.plugins[0]?.ipam?.ranges).toEqual([[{ subnet: '100.64.0.0/16' }]]);
  });
});

describe('control plane', () => {
  test('keeps etcd on loopback', () => {
    expect(etcdFlags(settings)).toContain('--listen-client-urls=http://127.0.0.1:1');
    expect(etcdFlags(settings)).toContain('--listen-peer-urls=http://127.0.0.1:2');
  });

  test('publishes the address of the API server, unless it is a loopback one', () => {
    const off = '--endpoint-reconciler-type=none';
    expect(apiserverFlags(settings)).not.toContain(off);
    expect(apiserverFlags({ ...settings, address: '127.0.0.1' })).toContain(off);
  });

  test('reads every key from the folder of keys', () => {
    const files = apiserverFlags(settings).filter((flag) =>
      /-file=|certificate|client-key/.test(flag),
    );
    expect(files.every((flag) => flag.split('=')[1]?.startsWith('/data/pki/'))).toBe(true);
  });
});

describe('node', () => {
  test('asks the API server who may talk to the kubelet', () => {
    const config = kubeletConfig({ pki: '/p', data: '/d', runtimeSocket: '/run/c.sock' });
    expect(JSON.parse(config)).toMatchObject({
      authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
      authorization: { mode: 'Webhook' },
      containerRuntimeEndpoint: 'unix:///run/c.sock',
      clusterDNS: ['100.127.0.1'],
      failCgroupV1: false,
    });
  });

  test("leaves the machine's connection tracking limit alone", () => {
    expect(JSON.parse(proxyConfig('/k'))).toMatchObject({ conntrack: { maxPerCore: 0 } });
  });

  test('answers names only on the address of the node', () => {
    expect(corefile('/k')).toContain('bind 100.127.0.1');
  });
});

test('a kubeconfig carries its credentials', () => {
  const text = kubeconfig('https://h:1', 'admin', { ca: 'A', certificate: 'B', key: 'C' });
  expect(text).toContain('server: https://h:1');
  expect(text).toContain('certificate-authority-data: QQ==');
  expect(text).toContain('client-certificate-data: Qg==');
  expect(text).toContain('client-key-data: Qw==');
});

test('volumes go to one folder, made by a pod of the given image', () => {
  expect(JSON.parse(localPathConfig('/v'))).toEqual({
    nodePathMap: [{ node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths: ['/v'] }],
  });
  expect(JSON.parse(localPathHelper('i:1'))).toMatchObject({
    spec: { containers: [{ image: 'i:1' }] },
  });
});
