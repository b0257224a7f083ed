import { join } from 'node:path';

import { addresses } from '../addresses.ts';

export type RuntimeFolders = {
  /** Images and containers. */
  readonly root: string;
  /** Sockets and mounts of running containers. */
  readonly state: string;
  readonly socket: string;
  readonly networks: string;
};

export function runtimeFolders(data: string, run: string): RuntimeFolders {
  const state = join(run, 'containerd');
  return {
    root: join(data, 'containerd'),
    state,
    socket: join(state, 'containerd.sock'),
    networks: join(data, 'config/networks'),
  };
}

/** containerd 1.6: folders of our own, cgroupfs, and no snapshotter this machine may not have. */
export function containerdConfig(folders: RuntimeFolders, pauseImage: string): string {
  const unused = ['aufs', 'btrfs', 'devmapper', 'zfs'].map(
    (name) => `"io.containerd.snapshotter.v1.${name}"`,
  );
  return `version = 2
root = "${folders.root}"
state = "${folders.state}"
# Without CAP_SYS_RESOURCE a container may not be given a lower score than containerd's own.
oom_score = 0
disabled_plugins = [${unused.join(', ')}, "io.containerd.internal.v1.tracing"]

[grpc]
address = "${folders.socket}"

[plugins."io.containerd.internal.v1.opt"]
path = "${folders.root}/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${pauseImage}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${folders.networks}"
max_conf_num = 1
`;
}

/**
 * Pod network: `ptp` routes every packet through the host, so service rules apply without
 * br_netfilter; `firewall` lets pods through where the machine's own policy is to drop.
 */
export function podNetwork(leases: string): string {
  const plugins = [
    {
      type: 'ptp',
      ipMasq: true,
      ipam: {
        type: 'host-local',
        dataDir: leases,
        ranges: [[{ subnet: addresses.pods }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'firewall', backend: 'iptables' },
  ];
  return JSON.stringify({ cniVersion: '0.4.0', name: 'mlops', plugins }, null, 2);
}
