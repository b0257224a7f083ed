import { describe, expect, test } from '@jest/globals';

import {
  clusterDifferences,
  clusterMounts,
  differences,
  firewallRules,
  interfaceNames,
  type HostState,
} from './host-state.ts';

const quiet: HostState = {
  mounts: [],
  interfaces: ['eth0', 'lo'],
  networkNamespaces: [],
  routes: [],
  firewall: [],
  cgroups: [],
  sysctls: { 'net/ipv4/ip_forward': '0' },
  folders: [],
};

describe('what a cluster leaves on its machine', () => {
  test('is nothing when both states are the same', () => {
    expect(differences(quiet, quiet)).toEqual([]);
  });

  test('names what was added, what is gone and what has another value', () => {
    const after: HostState = {
      ...quiet,
      interfaces: ['lo', 'mlops0'],
      sysctls: { 'net/ipv4/ip_forward': '1' },
    };
    expect(differences(quiet, after)).toEqual([
      'interfaces: "mlops0" was left behind',
      'interfaces: "eth0" is gone',
      'sysctl net/ipv4/ip_forward: was 0, is 1',
    ]);
  });

  test('does not blame the cluster for the interface of another program', () => {
    const after: HostState = { ...quiet, interfaces: ['docker0', 'eth0', 'lo', 'veth1a2b'] };
    expect(clusterDifferences(quiet, after)).toEqual(['interfaces: "veth1a2b" was left behind']);
  });
});

describe('reading the machine', () => {
  test('keeps only mounts of a local cluster', () => {
    const mounts = [
      'overlay /run/mlops-cluster/containerd/rootfs overlay rw 0 0',
      '/dev/vda / ext4 rw 0 0',
    ];
    expect(clusterMounts(mounts.join('\n'))).toEqual(['/run/mlops-cluster/containerd/rootfs']);
  });

  test('takes interface names without their peer', () => {
    const output = '1: lo: <LOOPBACK> mtu 65536\n7: veth12@if2: <BROADCAST> mtu 1500\n';
    expect(interfaceNames(output)).toEqual(['lo', 'veth12']);
  });

  test('takes rules and own chains of every table, without counters and built-in chains', () => {
    const dump = `# Generated
*nat
:PREROUTING ACCEPT [5:300]
:KUBE-SERVICES - [0:0]
-A PREROUTING -j KUBE-SERVICES
COMMIT
`;
    expect(firewallRules(dump)).toEqual([
      'nat -A PREROUTING -j KUBE-SERVICES',
      'nat :KUBE-SERVICES',
    ]);
  });
});
