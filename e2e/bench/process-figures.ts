/** What a process costs, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc/PID/stat; the same on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** Fields of /proc/PID/stat from `state` on; the name before it in parentheses may hold anything. */
const statOf = (pid: number): readonly string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

/** User and system time of all threads so far, in milliseconds. */
export const cpuMsOf = (pid: number): number => {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
};

/** `VmHWM` (the most it ever held) or `VmRSS`, in MiB. */
export const memoryMibOf = (pid: number, field: 'VmHWM' | 'VmRSS'): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/status has no ${field}`);
  return Number(kib) / 1024;
};

/** The process and all it has started that still run. */
export const familyOf = (pid: number): readonly number[] => {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(Number(name), Number(statOf(Number(name))[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  const family = [pid];
  for (const one of family) {
    for (const [child, parent] of parents) if (parent === one) family.push(child);
  }
  return family;
};
