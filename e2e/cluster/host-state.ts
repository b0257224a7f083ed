import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './command.ts';

/** What a cluster changes on its machine, as sorted lines per subject, fit to be compared. */
export type HostState = {
  readonly mounts: readonly string[];
  readonly interfaces: readonly string[];
  readonly networkNamespaces: readonly string[];
  readonly routes: readonly string[];
  readonly firewall: readonly string[];
  readonly cgroups: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Those of `foreignFolders` that exist. */
  readonly folders: readonly string[];
};

/** Folders that Kubernetes programs make outside of ours, whatever their configuration says. */
export const foreignFolders = [
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
  '/var/lib/cni',
  '/run/containerd',
  '/opt/cni',
  '/etc/cni',
] as const;

const sysctlNames = [
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/route_localnet',
  'net/ipv4/conf/default/route_localnet',
  'net/netfilter/nf_conntrack_max',
  'net/netfilter/nf_conntrack_tcp_timeout_established',
  'net/netfilter/nf_conntrack_tcp_timeout_close_wait',
  'net/netfilter/nf_conntrack_tcp_be_liberal',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

export async function readHostState(): Promise<HostState> {
  const [links, namespaces, routes, firewall, firewall6] = await Promise.all([
    run('ip', ['-o', 'link']),
    run('ip', ['netns', 'list']),
    run('ip', ['route', 'show', 'table', 'all']),
    run('iptables-save', []),
    run('ip6tables-save', []),
  ]);
  return {
    mounts: clusterMounts(readFileSync('/proc/self/mounts', 'utf8')),
    interfaces: interfaceNames(links),
    networkNamespaces: lines(namespaces),
    routes: lines(routes).filter((route) => !route.includes('inet6')),
    firewall: [...firewallRules(firewall), ...firewallRules(firewall6)].sort(),
    cgroups: podCgroups(),
    sysctls: readSysctls(),
    folders: foreignFolders.filter((folder) => existsSync(folder)),
  };
}

/** Every difference as one sentence part, like `interfaces: mlops0 was left behind`. */
export function differences(before: HostState, after: HostState): readonly string[] {
  const found: string[] = [];
  const subjects = [
    'mounts',
    'interfaces',
    'networkNamespaces',
    'routes',
    'firewall',
    'cgroups',
    'folders',
  ] as const;
  for (const subject of subjects) {
    const added = after[subject].filter((line) => !before[subject].includes(line));
    const removed = before[subject].filter((line) => !after[subject].includes(line));
    found.push(...added.map((line) => `${subject}: "${line}" was left behind`));
    found.push(...removed.map((line) => `${subject}: "${line}" is gone`));
  }
  for (const [name, value] of Object.entries(before.sysctls)) {
    const now = after.sysctls[name];
    if (now !== value) found.push(`sysctl ${name}: was ${value}, is ${now ?? 'gone'}`);
  }
  return found;
}

const ours = /mlops|veth|KUBE-|CNI-|100\.(64|127)\.|198\.18\.|^(cgroups|folders|sysctl)\b/;

/** The differences that a cluster of ours may have made; other programs change things meanwhile. */
export function clusterDifferences(before: HostState, after: HostState): readonly string[] {
  return differences(before, after).filter((line) => ours.test(line));
}

/** Mount points under a folder of a local cluster; other programs mount and unmount all the time. */
export function clusterMounts(procMounts: string): readonly string[] {
  return lines(procMounts)
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.includes('/mlops-cluster/'));
}

/** `4: veth12@if2: <…>` → `veth12`. */
export function interfaceNames(ipLinkOutput: string): readonly string[] {
  return lines(ipLinkOutput).map((line) => (line.split(': ')[1] ?? '').replace(/@.*/, ''));
}

/** Rules and chains of an iptables-save dump, without counters, comments and built-in chains. */
export function firewallRules(dump: string): readonly string[] {
  let table = '';
  const found: string[] = [];
  for (const line of dump.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    if (line.startsWith('-')) found.push(`${table} ${line}`);
    if (line.startsWith(':') && line.split(' ')[1] === '-') {
      found.push(`${table} ${line.split(' ')[0] ?? ''}`);
    }
  }
  return found.sort();
}

/** Cgroups of the kubelet and of containerd, in every hierarchy of version 1 or in version 2. */
export function podCgroups(): readonly string[] {
  const root = '/sys/fs/cgroup';
  if (!existsSync(root)) return [];
  const roots = [root, ...readdirSync(root).map((name) => join(root, name))];
  return roots.map((folder) => join(folder, 'kubepods')).filter((folder) => existsSync(folder));
}

function readSysctls(): Readonly<Record<string, string>> {
  const known = sysctlNames.filter((name) => existsSync(`/proc/sys/${name}`));
  return Object.fromEntries(
    known.map((name) => [name, readFileSync(`/proc/sys/${name}`, 'utf8').trim()]),
  );
}

function lines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .sort();
}
