import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { readConfig } from '../config.ts';
import { goTool } from '../go-tool.ts';
import { createProgress } from '../progress.ts';
import { freePorts } from './free-port.ts';
import { startServer } from './server.ts';

/** An S3 server of one's own; it starts without any bucket. */
export type S3Server = {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Folder of the objects: BUCKET/KEY is a file there, for tests that damage one. */
  readonly objects: string;
  stop(): Promise<void>;
};

/** Starts versitygw on a loopback port with its objects under `dir`; builds it first, once. */
export async function startS3({ dir }: { readonly dir: string }): Promise<S3Server> {
  const config = readConfig();
  const progress = createProgress({ timingsFile: join(config.build, 'timings.jsonl') });
  const versitygw = await goTool(config, progress, 'versitygw');
  const objects = join(dir, 'objects');
  const versions = join(dir, 'versions');
  for (const folder of [objects, versions]) mkdirSync(folder, { recursive: true });
  const [port = 0] = await freePorts(1);
  const endpoint = `http://127.0.0.1:${port}`;
  const credentials = { accessKeyId: 'local-access', secretAccessKey: 'local-secret' };
  const server = await startServer({
    command: versitygw,
    args: ['--port', `127.0.0.1:${port}`, 'posix', '--versioning-dir', versions, objects],
    env: {
      ROOT_ACCESS_KEY: credentials.accessKeyId,
      ROOT_SECRET_KEY: credentials.secretAccessKey,
    },
    logFile: join(dir, 'versitygw.log'),
    ready: () => answers(endpoint),
  });
  return { endpoint, region: 'us-east-1', ...credentials, objects, stop: () => server.stop() };
}

/** Any answer will do: without credentials it is a refusal. */
async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(1000) });
    return true;
  } catch {
    return false;
  }
}
