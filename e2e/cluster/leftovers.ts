import { existsSync, readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { clusterPaths } from './cluster-processes.ts';
import { succeeds } from './command.ts';
import { processMarker } from './config.ts';
import { clearFirewall, deleteNodeNetwork, restoreSysctls } from './host-network.ts';
import { clusterMounts, foreignFolders, podCgroups, type HostState } from './host-state.ts';
import { processTable, withDescendants, type RunningProcess } from './process-table.ts';

export class LeftoversError extends Error {
  readonly code = 'ClusterLeftovers';
}

/** Whether a process belongs to the cluster: started by us, or running inside one of its pods. */
export function belongsToCluster(candidate: RunningProcess): boolean {
  return (
    candidate.environment[processMarker] === clusterPaths.data ||
    candidate.cgroups.some((path) => path.startsWith('/kubepods/'))
  );
}

/**
 * Removes every process, mount, interface, rule and cgroup of a cluster, whether it was stopped,
 * killed or only half started. What stays are its data and the cause of none of the next start's
 * troubles.
 */
export async function clearLeftovers(): Promise<void> {
  await killProcesses();
  await unmountAll();
  await deleteNodeNetwork();
  await clearFirewall();
  for (const cgroup of podCgroups()) removeCgroup(cgroup);
  const before = readHostBefore();
  if (before !== undefined) restoreHost(before);
  // No pod runs, so no pod address is taken.
  rmSync(clusterPaths.leases, { recursive: true, force: true });
  rmSync(clusterPaths.run, { recursive: true, force: true });
}

/** The machine as it was before the cluster first changed it, if a cluster was started. */
export function readHostBefore(): HostState | undefined {
  if (!existsSync(clusterPaths.hostBefore)) return undefined;
  return JSON.parse(readFileSync(clusterPaths.hostBefore, 'utf8')) as HostState;
}

function restoreHost(before: HostState): void {
  restoreSysctls(before.sysctls);
  for (const folder of foreignFolders) {
    if (!before.folders.includes(folder)) rmSync(folder, { recursive: true, force: true });
  }
}

async function killProcesses(): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    // Killed in rounds, because a shim may start a process while we look.
    const left = withDescendants(processTable(), belongsToCluster).filter(
      (found) => found.pid !== process.pid,
    );
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      const named = left.map((found) => `${found.pid} ${found.commandLine.slice(0, 80)}`);
      throw new LeftoversError(`These processes survive SIGKILL:\n${named.join('\n')}`);
    }
    for (const found of left) kill(found.pid);
    await delay(50);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function unmountAll(): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const points = clusterMounts(readFileSync('/proc/self/mounts', 'utf8'));
    if (points.length === 0) return;
    // Longest first, so that nothing is unmounted under another mount; mounts may be stacked.
    const deepestFirst = [...new Set(points)].sort((a, b) => b.length - a.length);
    for (const point of deepestFirst) await succeeds('umount', ['-l', unescapeMount(point)]);
  }
  const left = clusterMounts(readFileSync('/proc/self/mounts', 'utf8'));
  throw new LeftoversError(`Cannot unmount ${left.join(', ')}`);
}

/** /proc writes a space in a path as \040. */
export function unescapeMount(point: string): string {
  return point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

function removeCgroup(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
  }
  rmdirSync(folder);
}
