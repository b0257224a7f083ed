#!/usr/bin/env node
import { ApiError } from './api-client.ts';
import { readArguments, USAGE, UsageError } from './arguments.ts';
import { run } from './commands.ts';
import { serverOf, tokenOf } from './config.ts';

const main = async (): Promise<void> => {
  const wanted = readArguments(process.argv.slice(2));
  if (wanted.help) {
    console.log(USAGE);
    return;
  }
  const client = { server: wanted.server ?? serverOf(), token: tokenOf(), fetch };
  for (const line of await run(wanted, client)) {
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
