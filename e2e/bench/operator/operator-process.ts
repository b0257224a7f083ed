import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { cpuMsOf, memoryMibOf } from '../process-figures.ts';

/** How to start an operator: ours or the peer. */
export type Contestant = {
  readonly name: 'ours' | 'go';
  readonly version: string;
  readonly command: string;
  readonly args: (kubeconfig: string, options: StartOptions) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

export type StartOptions = {
  readonly workers: number;
  /** How often ours compares its caches with the server; its default when absent. The peer has none. */
  readonly verifyMs?: number;
  /** The peer prefers protobuf, which the fault proxy cannot read; ours knows JSON only. */
  readonly json?: boolean;
};

/** An operator that runs, and what it costs. */
export class OperatorProcess {
  readonly #child: ChildProcess;
  readonly #pid: number;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.#pid = pid;
  }

  /** The kernel ends it with this process. */
  static start(
    contestant: Contestant,
    kubeconfig: string,
    options: StartOptions,
    logFile: string,
  ): OperatorProcess {
    const log = openSync(logFile, 'a');
    const args = contestant.args(kubeconfig, options);
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', contestant.command, ...args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...contestant.env },
    });
    closeSync(log);
    if (child.pid === undefined) throw new Error(`Cannot start ${contestant.command}`);
    return new OperatorProcess(child, child.pid);
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** User and system time of all its threads so far. */
  get cpuMs(): number {
    return cpuMsOf(this.#pid);
  }

  /** The most memory it ever held, in MiB. */
  get peakMib(): number {
    return memoryMibOf(this.#pid, 'VmHWM');
  }

  get residentMib(): number {
    return memoryMibOf(this.#pid, 'VmRSS');
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.alive) return;
    const ended = once(this.#child, 'exit');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    this.#child.kill(signal);
    await ended;
    clearTimeout(killer);
  }
}
