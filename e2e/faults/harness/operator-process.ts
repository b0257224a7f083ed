import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { settings } from './settings.ts';

export type OperatorProcessOptions = {
  readonly kubeconfig: string;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A command that runs the operator, such as `faketime`; it must `exec`. */
  readonly under?: readonly string[];
};

/** The small operator of e2e/workload as a process; the kernel ends it with this one. */
export type OperatorProcess = {
  readonly pid: number;
  readonly alive: boolean;
  /** Sends a signal; after SIGKILL and SIGTERM waits for the end. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** The exit code; null when it was killed. */
  readonly ended: Promise<number | null>;
  log(): string;
  rssMiB(): number;
  sockets(): number;
};

export const startOperator = (
  args: readonly string[],
  options: OperatorProcessOptions,
): OperatorProcess => {
  const { kubeconfig, logFile, env, cwd = '/', under = [] } = options;
  const log = openSync(logFile, 'a');
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', '--', ...under],
      ...[process.execPath, settings.operator, '--kubeconfig', kubeconfig, ...args],
    ],
    { cwd, stdio: ['ignore', log, log], env: { ...process.env, NODE_OPTIONS: '', ...env } },
  );
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error('The operator could not be started.');
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    ended,
    get alive() {
      return alive();
    },
    async kill(signal) {
      if (!alive()) return;
      child.kill(signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended;
    },
    log: () => readFileSync(logFile, 'utf8'),
    rssMiB: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    sockets: () =>
      readdirSync(`/proc/${pid}/fd`).filter((fd) => target(pid, fd).startsWith('socket:')).length,
  };
};

const target = (pid: number, fd: string): string => {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    // Closed meanwhile.
    return '';
  }
};
