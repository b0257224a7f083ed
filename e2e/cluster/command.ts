import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

import { lastLines } from './log-file.ts';

export type CommandOptions = {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Output goes to this file (appended) instead of being returned. */
  readonly logFile?: string;
};

export class CommandError extends Error {
  readonly code = 'CommandFailed';
}

/** Runs a command to its end and returns what it printed; throws with its last lines if it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const log = openLog(options.logFile);
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', log ?? 'pipe', log ?? 'pipe'],
  });
  const output: string[] = [];
  const errors: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => output.push(chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => errors.push(chunk));
  // A command that ends before it reads its input is judged by its exit status alone.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input);
  try {
    const status = await exitOf(child);
    if (status !== 0) {
      const said = log === undefined ? [...output, ...errors].join('') : undefined;
      throw failure(`${command} ${args.join(' ')}`, status, said, options.logFile);
    }
    return output.join('');
  } finally {
    if (log !== undefined) closeSync(log);
  }
}

/** Like `run`, but says only whether the command succeeded. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(command, args);
    return true;
  } catch {
    return false;
  }
}

function openLog(file: string | undefined): number | undefined {
  if (file === undefined) return undefined;
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, 'a');
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new CommandError(`Cannot start ${child.spawnfile}: ${cause.message}`, { cause }));
    });
    child.once('close', (status, signal) => {
      resolve(status ?? signal ?? 'unknown');
    });
  });
}

function failure(
  commandLine: string,
  status: number | string,
  output = '',
  logFile?: string,
): CommandError {
  const said = logFile === undefined ? output.trim() : lastLines(logFile, 20);
  const where = logFile === undefined ? '' : `\nFull log: ${logFile}`;
  return new CommandError(`${commandLine} failed (${status}):\n${said.slice(-4000)}${where}`);
}
