import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startControlPlane } from '../cluster/control-plane.ts';
import { startPostgres } from '../cluster/servers/postgres.ts';
import { startS3 } from '../cluster/servers/s3.ts';

/**
 * Runs the integration tests against a real kube-apiserver with etcd, a real PostgreSQL and a real
 * S3 server, all on loopback with their data in one temporary folder: `main.ts [jest arguments]`.
 */
const run = async (args: readonly string[]): Promise<number> => {
  const dir = mkdtempSync(join(tmpdir(), 'mlops-integration-'));
  // PostgreSQL runs as a user of its own and must pass through.
  chmodSync(dir, 0o711);
  const started: { stop(): Promise<void> }[] = [];
  const keep = <T extends { stop(): Promise<void> }>(server: T): T => {
    started.push(server);
    return server;
  };
  try {
    const controlPlane = keep(
      await startControlPlane({ dir: join(dir, 'kubernetes'), controllers: true }),
    );
    const postgres = keep(await startPostgres({ dir: join(dir, 'postgres') }));
    const s3 = keep(await startS3({ dir: join(dir, 's3') }));
    const { endpoint, region, accessKeyId, secretAccessKey, objects } = s3;
    return await jest(args, {
      INTEGRATION_KUBECONFIG: controlPlane.kubeconfig,
      INTEGRATION_DATABASE_URL: postgres.url,
      INTEGRATION_S3: JSON.stringify({ endpoint, region, accessKeyId, secretAccessKey, objects }),
    });
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
};

const jest = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> =>
  new Promise((resolve, reject) => {
    const program = join(import.meta.dirname, '../../node_modules/jest/bin/jest.js');
    const child = spawn(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        program,
        '--selectProjects',
        'integration',
        '--runInBand',
        ...args,
      ],
      { stdio: 'inherit', env: { ...process.env, ...env } },
    );
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });

process.exitCode = await run(process.argv.slice(2));
