import { writeFileSync } from 'node:fs';

import { addresses, bridge } from './addresses.ts';
import { run, succeeds } from './command.ts';

/** The node's address on a bridge of our own: it exists whatever networks the machine has. */
export async function createNodeNetwork(): Promise<void> {
  if (!(await succeeds('ip', ['link', 'show', bridge]))) {
    await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  }
  await run('ip', ['address', 'replace', `${addresses.node}/32`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
  // So that service addresses are reachable from here even on a machine without a default route.
  await run('ip', ['route', 'replace', addresses.services, 'dev', bridge]);
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1\n');
}

export async function deleteNodeNetwork(): Promise<void> {
  if (await succeeds('ip', ['link', 'show', bridge])) await run('ip', ['link', 'delete', bridge]);
}

/** Takes the rules of kube-proxy, the kubelet and the CNI plugins out, and leaves all others. */
export async function clearFirewall(): Promise<void> {
  for (const family of ['iptables', 'ip6tables']) {
    const dump = await run(`${family}-save`, []);
    const kept = withoutClusterRules(dump);
    if (kept !== dump) await run(`${family}-restore`, [], { input: kept });
  }
}

/** An iptables-save dump without any line that names a chain of Kubernetes or CNI. */
export function withoutClusterRules(dump: string): string {
  return dump
    .split('\n')
    .filter((line) => !/(^:|-[AIjg] )(KUBE|CNI)-/.test(line))
    .join('\n');
}

export function restoreSysctls(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) writeFileSync(`/proc/sys/${name}`, value);
}
