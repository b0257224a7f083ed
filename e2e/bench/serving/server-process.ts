import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines } from '../../cluster/log-file.ts';
import { cpuMsOf, familyOf, memoryMibOf } from '../process-figures.ts';

export type Command = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
};

/** A server that runs, with all processes it has started; the kernel ends it with this one. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly startedAt = performance.now();

  constructor({ command, args, env, cwd }: Command, logFile: string) {
    const log = openSync(logFile, 'w');
    this.#logFile = logFile;
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      cwd,
    });
    closeSync(log);
  }

  /** Resolves, with the milliseconds since its start, once `url` answers 200. Throws with its last words. */
  async ready(url: string, seconds = 90): Promise<number> {
    const deadline = performance.now() + seconds * 1000;
    while (performance.now() < deadline && this.#child.exitCode === null) {
      const answer = await fetch(url).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) return performance.now() - this.startedAt;
      await delay(10);
    }
    throw new Error(`${url} is not ready; the log ends with\n${lastLines(this.#logFile, 20)}`);
  }

  get cpuMs(): number {
    return this.#sum(cpuMsOf);
  }

  get residentMib(): number {
    return this.#sum((pid) => memoryMibOf(pid, 'VmRSS'));
  }

  get peakMib(): number {
    return this.#sum((pid) => memoryMibOf(pid, 'VmHWM'));
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    const family = familyOf(this.#child.pid ?? 0);
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => {
      for (const pid of family) kill(pid);
    }, 10_000);
    await ended;
    clearTimeout(killer);
    for (const pid of family.slice(1)) kill(pid);
  }

  #sum(figure: (pid: number) => number): number {
    return familyOf(this.#child.pid ?? 0).reduce((sum, pid) => {
      try {
        return sum + figure(pid);
      } catch {
        // It ended since it was listed.
        return sum;
      }
    }, 0);
  }
}

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It had ended.
  }
};
