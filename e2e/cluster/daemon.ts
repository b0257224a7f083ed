import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { processMarker } from './config.ts';
import { lastLines } from './log-file.ts';
import { environmentOf, holdsResources } from './process-table.ts';

/** A long-running process with a log and a pid file of its own. */
export type Daemon = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Value of the marker in its environment; a pid file is believed only if it agrees. */
  readonly home: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: { readonly uid: number; readonly gid: number };
};

export class DaemonError extends Error {
  readonly code = 'DaemonFailed';
}

/** Starts a process that outlives this one. Does nothing if it runs already. */
export function startDaemon(daemon: Daemon): void {
  if (runningPid(daemon) !== undefined) return;
  mkdirSync(dirname(daemon.pidFile), { recursive: true });
  mkdirSync(dirname(daemon.logFile), { recursive: true });
  const log = openSync(daemon.logFile, 'a');
  try {
    const child = spawn(daemon.command, [...daemon.args], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', log, log],
      env: { ...process.env, ...daemon.env, [processMarker]: daemon.home },
      ...daemon.user,
    });
    // A command that cannot be started has no pid; the error event carries nothing more.
    child.once('error', () => undefined);
    child.unref();
    if (child.pid === undefined) throw new DaemonError(`Cannot start ${daemon.command}`);
    writeFileSync(daemon.pidFile, `${child.pid}\n`);
  } finally {
    closeSync(log);
  }
}

/** The pid of a running daemon; a stale pid file, or one whose number was reused, counts as none. */
export function runningPid(daemon: Pick<Daemon, 'pidFile' | 'home'>): number | undefined {
  if (!existsSync(daemon.pidFile)) return undefined;
  const pid = Number(readFileSync(daemon.pidFile, 'utf8').trim());
  return environmentOf(pid)[processMarker] === daemon.home ? pid : undefined;
}

/** Asks a daemon to end, waits for it, and kills it when the patience (ms) is over. */
export async function stopDaemon(daemon: Daemon, patience = 10_000): Promise<void> {
  const pid = runningPid(daemon);
  if (pid !== undefined) {
    signal(pid, 'SIGTERM');
    const deadline = Date.now() + patience;
    while (runningPid(daemon) === pid && Date.now() < deadline) await delay(50);
    if (runningPid(daemon) === pid) signal(pid, 'SIGKILL');
    while (holdsResources(pid)) await delay(20);
  }
  rmSync(daemon.pidFile, { force: true });
}

/** Waits until `ready` answers true; fails at once, with the log's end, when the daemon dies. */
export async function waitForDaemon(
  daemon: Daemon,
  ready: () => Promise<boolean>,
  seconds = 90,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await ready())) {
    const dead = runningPid(daemon) === undefined;
    if (dead || Date.now() > deadline) {
      const what = dead ? 'ended' : `is not ready after ${seconds} s`;
      throw new DaemonError(
        `${daemon.name} ${what}. Its log ${daemon.logFile} ends with:\n${lastLines(daemon.logFile, 15)}`,
      );
    }
    await delay(100);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // Gone between looking and asking: that is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
