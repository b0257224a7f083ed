import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { apiServer, type RestUser } from './rest.ts';
import { REPOSITORY } from './settings.ts';

/** What `mlops …` prints at a user's command line; fails if it does. */
export const mlops = async ({ token }: RestUser, ...args: readonly string[]): Promise<string> => {
  const program = join(REPOSITORY, 'operator/cli/main.ts');
  const env = { ...process.env, MLOPS_SERVER: await apiServer(), MLOPS_TOKEN: token };
  return (await promisify(execFile)(process.execPath, [program, ...args], { env })).stdout;
};
