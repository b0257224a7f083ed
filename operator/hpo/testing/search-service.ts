import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { serviceFolder, servicePython } from './service-python.ts';

export type SearchService = {
  readonly url: string;
  /** Ends at once, as a node that loses its power. */
  kill(): Promise<void>;
  /** Ends as Kubernetes asks for it; answers the exit code. */
  stop(): Promise<number | null>;
};

/** The real service in a process of its own, on a port of its own; `schema` keeps tests apart. */
export const startSearchService = async (
  databaseUrl: string,
  schema: string,
  wantedPort = 0,
): Promise<SearchService> => {
  const child = spawn(await servicePython(), ['-m', 'optuna_service'], {
    cwd: serviceFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'] ?? '',
      PYTHONDONTWRITEBYTECODE: '1',
      MLOPS_DATABASE_URL: databaseUrl,
      HPO_SCHEMA: schema,
      HPO_PORT: String(wantedPort),
    },
  });
  const url = `http://127.0.0.1:${await portOf(child)}`;
  const ended = async (signal: NodeJS.Signals): Promise<number | null> => {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
    return child.exitCode;
  };
  return {
    url,
    kill: async () => void (await ended('SIGKILL')),
    stop: () => ended('SIGTERM'),
  };
};

type LogLine = { readonly msg: string; readonly port?: number };

/** The service says its port first, and later that its tables are ready. */
const portOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('The service has no output.'));
    let port = 0;
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The service ended with ${code}.`)));
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text) as LogLine;
      if (line.msg === 'listening') port = line.port ?? 0;
      if (line.msg === 'the tables are ready') resolve(port);
    });
  });
