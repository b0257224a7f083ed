import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export type ServingProcess = {
  readonly pid: number;
  /** `ws://…` of its inspector. */
  readonly inspectorUrl: string;
  readonly httpUrl: string;
  readonly grpcUrl: string;
  /** The exit code after SIGTERM. */
  readonly stop: () => Promise<number | null>;
};

/** The bundled serving runtime; ready when it resolves, ended by the kernel with this process. */
export const startServing = async (
  bundle: string,
  env: Readonly<Record<string, string>>,
  logFile: string,
): Promise<ServingProcess> => {
  const log = openSync(logFile, 'w');
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', process.execPath, '--inspect=127.0.0.1:0', bundle],
    { stdio: ['ignore', log, log], env: { ...process.env, NODE_OPTIONS: '', ...env } },
  );
  closeSync(log);
  const found = async (pattern: RegExp): Promise<string> => {
    for (let i = 0; i < 600; i++) {
      const match = pattern.exec(readFileSync(logFile, 'utf8'))?.[1];
      if (match !== undefined) return match;
      if (child.exitCode !== null) break;
      await delay(50);
    }
    throw new Error(`the serving process does not say ${String(pattern)}; see ${logFile}`);
  };
  const inspectorUrl = await found(/Debugger listening on (ws:\S+)/);
  const ports = JSON.parse(await found(/"ports":(\{[^}]*\})/)) as { http: number; grpc: number };
  await found(/(model is ready)/);
  return {
    pid: child.pid ?? 0,
    inspectorUrl,
    httpUrl: `http://127.0.0.1:${ports.http}`,
    grpcUrl: `http://127.0.0.1:${ports.grpc}`,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
};
