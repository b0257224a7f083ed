import { readFileSync, readdirSync } from 'node:fs';

/** One running process as /proc shows it. */
export type RunningProcess = {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Its cgroup paths, one per hierarchy. */
  readonly cgroups: readonly string[];
};

/** All processes of this machine; those that end while we look are left out. */
export function processTable(): readonly RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined);
}

/**
 * Whether a process still holds anything, such as a port. One that was killed loses its environment
 * first and its files last; and its main thread may be gone before the others are.
 */
export function holdsResources(pid: number): boolean {
  const stat = readProcFile(pid, 'stat');
  if (stat === undefined) return false;
  return parseState(stat) !== 'Z' || threadCount(pid) > 1;
}

/** The environment a process was started with; empty if there is no such process (or a zombie). */
export function environmentOf(pid: number): Readonly<Record<string, string>> {
  if (!Number.isInteger(pid) || pid <= 0) return {};
  return parseEnvironment(readProcFile(pid, 'environ') ?? '');
}

export function parseEnvironment(text: string): Readonly<Record<string, string>> {
  const pairs = text.split('\0').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

/** The parent's pid out of /proc/PID/stat, whose second field may itself hold spaces and brackets. */
export function parseParent(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** One letter: `S` sleeping, `R` running, `Z` zombie … */
export function parseState(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2)[0];
}

/** The paths of /proc/PID/cgroup, lines like `4:memory:/kubepods/burstable`. */
export function parseCgroups(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':').slice(2).join(':'));
}

/** Those that `start` picks, and all their descendants. */
export function withDescendants(
  table: readonly RunningProcess[],
  start: (candidate: RunningProcess) => boolean,
): readonly RunningProcess[] {
  const chosen = new Set(table.filter(start).map((found) => found.pid));
  for (let grown = -1; grown !== chosen.size;) {
    grown = chosen.size;
    for (const candidate of table) if (chosen.has(candidate.parent)) chosen.add(candidate.pid);
  }
  return table.filter((candidate) => chosen.has(candidate.pid));
}

function readProcess(pid: number): RunningProcess | undefined {
  const stat = readProcFile(pid, 'stat');
  // A zombie only waits for its parent to ask how it ended; there is nothing left to stop.
  if (stat === undefined || parseState(stat) === 'Z') return undefined;
  return {
    pid,
    parent: parseParent(stat),
    commandLine: (readProcFile(pid, 'cmdline') ?? '').replaceAll('\0', ' ').trim(),
    environment: environmentOf(pid),
    cgroups: parseCgroups(readProcFile(pid, 'cgroup') ?? ''),
  };
}

function threadCount(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}

function readProcFile(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
