/**
 * The serving runtime. `main.ts` serves the model its environment names; `main.ts inspect` fetches and
 * loads it, leaves its digest, size and signature in the termination log and ends.
 */
import { readEnvironment } from './config.ts';
import { runProgram } from './program.ts';
import { createLogger } from './telemetry/logger.ts';

const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    stopping.abort(new Error(`received ${name}`));
  });
}
process.on('uncaughtException', (error) => {
  createLogger('info', {}).fatal({ error }, 'the runtime failed unexpectedly');
  process.exit(1);
});

process.exit(
  await runProgram({
    commands: process.argv.slice(2),
    variables: readEnvironment(),
    stop: stopping.signal,
    createLogger,
    onListening: () => undefined,
  }),
);
