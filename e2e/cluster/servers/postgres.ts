import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { run, succeeds } from '../command.ts';
import { readConfig } from '../config.ts';
import { installPackages, postgresPackages } from '../debian-packages.ts';
import { createProgress } from '../progress.ts';
import { freePorts } from './free-port.ts';
import { startServer } from './server.ts';

/** A PostgreSQL server of one's own. */
export type PostgresServer = {
  /** `postgres://…` of an empty database, as its superuser. */
  readonly url: string;
  readonly port: number;
  /** Of the postmaster; the others of its processes end when it does. */
  readonly pid: number;
  /** Makes another empty database and returns its URL, so that tests do not meet. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
};

const versions = '/usr/lib/postgresql';
const user = 'postgres';

export type PostgresOptions = {
  /** Data and log; those of a server that was killed are gone on with. */
  readonly dir: string;
  /** A free one by default. */
  readonly port?: number;
  /** Further settings, such as `synchronous_commit=on`; they win over those for tests. */
  readonly settings?: readonly string[];
};

/** Starts Debian's PostgreSQL on a loopback port with its data in `dir`; installs it if missing. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { dir, settings = [] } = options;
  const config = readConfig();
  const progress = createProgress({ timingsFile: join(config.build, 'timings.jsonl') });
  if (!existsSync(versions)) {
    await installPackages(progress, postgresPackages, join(config.cache, 'logs', 'apt.log'));
  }
  const programs = join(versions, newestVersion(readdirSync(versions)), 'bin');
  const data = join(dir, 'data');
  await initialize(programs, dir, data);
  const [free = 0] = await freePorts(1);
  const { port = free } = options;
  const connect = ['-h', '127.0.0.1', '-p', `${port}`, '-U', user];
  const server = await startServer({
    command: join(programs, 'postgres'),
    args: [
      ...['-D', data, '-k', '', '-p', `${port}`],
      ...[...fastSettings, ...settings].flatMap((setting) => ['-c', setting]),
    ],
    logFile: join(dir, 'postgres.log'),
    ready: () => succeeds(join(programs, 'pg_isready'), ['-q', ...connect]),
    user,
    // Ends connections at once instead of waiting for clients to leave.
    stopSignal: 'SIGINT',
  });
  return {
    url: `postgres://${user}@127.0.0.1:${port}/postgres`,
    port,
    async createDatabase(name) {
      await run(join(programs, 'createdb'), [...connect, name]);
      return `postgres://${user}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
    },
    pid: server.pid,
    stop: () => server.stop(),
  };
}

/** Data of tests are thrown away, so nothing waits for the disk. */
const fastSettings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** `['13', '15', '9.6']` → `15`. */
export function newestVersion(names: readonly string[]): string {
  return [...names].sort((a, b) => Number(b) - Number(a))[0] ?? '15';
}

/** PostgreSQL refuses to run as root, so its files belong to Debian's postgres user. */
async function initialize(programs: string, dir: string, data: string): Promise<void> {
  if (existsSync(join(data, 'PG_VERSION'))) return;
  mkdirSync(data, { recursive: true });
  // The data folder is closed; the one around it must let its user through.
  chmodSync(dir, 0o755);
  await run('chown', [`${user}:${user}`, data]);
  await run('setpriv', [
    ...['--reuid', user, '--regid', user, '--init-groups', '--', join(programs, 'initdb')],
    ...['-D', data, '-U', user, '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8'],
    '--no-sync',
  ]);
}
