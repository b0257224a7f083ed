#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { ApiError } from './api-client.ts';
import { readArguments, USAGE, UsageError } from './arguments.ts';
import { run } from './commands.ts';

const DEFAULT_SERVER = 'http://localhost:8080';

const tokenOf = ({ MLOPS_TOKEN, MLOPS_TOKEN_FILE }: NodeJS.ProcessEnv): string => {
  if (MLOPS_TOKEN) return MLOPS_TOKEN.trim();
  if (!MLOPS_TOKEN_FILE) {
    throw new UsageError(
      'There is no token: set MLOPS_TOKEN, for example to $(kubectl create token reader -n demo --audience=mlops.pynomaly.io), or MLOPS_TOKEN_FILE.',
    );
  }
  try {
    return readFileSync(MLOPS_TOKEN_FILE, 'utf8').trim();
  } catch (error) {
    const words = (error as Error).message;
    throw new UsageError(`MLOPS_TOKEN_FILE cannot be read: ${words}`, { cause: error });
  }
};

const main = async (): Promise<void> => {
  const wanted = readArguments(process.argv.slice(2));
  if (wanted.help) {
    console.log(USAGE);
    return;
  }
  const server = wanted.server ?? process.env['MLOPS_SERVER'] ?? DEFAULT_SERVER;
  for (const line of await run(wanted, { server, token: tokenOf(process.env), fetch })) {
    console.log(line);
  }
};

try {
  await main();
} catch (error) {
  if (!(error instanceof ApiError) && !(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
