import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { lastLines } from '../log-file.ts';

/** A server that lives as long as the process that started it, at the most. */
export type Server = {
  readonly pid: number;
  stop(): Promise<void>;
};

type ServerOptions = {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly ready: () => Promise<boolean>;
  readonly env?: Readonly<Record<string, string>>;
  /** Run as this user instead of root. */
  readonly user?: string;
  readonly stopSignal?: NodeJS.Signals;
};

export class ServerError extends Error {
  readonly code = 'ServerFailed';
}

/** Starts a server and waits until it is ready (60 s at most); throws with its log's last lines. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const child = spawnBound(options);
  const { pid } = child;
  if (pid === undefined) throw new ServerError(`Cannot start ${options.command}`);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    child.kill(options.stopSignal ?? 'SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await ended;
    clearTimeout(killer);
  };
  try {
    await waitUntilReady(child, options);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid, stop };
}

/** The kernel ends it when this process dies, however that happens: tests leave nothing behind. */
function spawnBound(options: ServerOptions): ChildProcess {
  const log = openSync(options.logFile, 'a');
  const user =
    options.user === undefined
      ? []
      : ['--reuid', options.user, '--regid', options.user, '--init-groups'];
  try {
    const child = spawn(
      'setpriv',
      [...user, '--pdeathsig', 'KILL', '--', options.command, ...options.args],
      { cwd: '/', stdio: ['ignore', log, log], env: { ...process.env, ...options.env } },
    );
    child.once('error', () => undefined);
    // Open servers must not keep a finished test run alive.
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

async function waitUntilReady(child: ChildProcess, options: ServerOptions): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await options.ready())) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > deadline) {
      throw new ServerError(
        `${options.command} ${ended ? 'ended' : 'is not ready after 60 s'}. ` +
          `Its log ${options.logFile} ends with:\n${lastLines(options.logFile, 15)}`,
      );
    }
    await delay(50);
  }
}
