/** Tries a model in a process of its own first: a file that crashes ONNX Runtime ends that one only. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { ModelFailure } from './model-failure.ts';
import type { FailureMessage } from './protocol/termination-message.ts';
import { openSession } from './session.ts';
import { warmUp } from './warm-up.ts';

/** Resolves where the model loads and answers. Throws ModelFailure `InvalidModel`, with the reason. */
export type Probe = (path: string, signal: AbortSignal) => Promise<void>;

export type ProbeProcess = {
  /** What runs `probeHere` with the path behind it: a program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly timeoutMs: number;
};

/** Exit code of a model that is refused; what is printed says why. */
const refused = 3;

export function probeIn({ command, timeoutMs }: ProbeProcess): Probe {
  const [program, ...args] = command;
  return (path, signal) =>
    new Promise((resolve, reject) => {
      const options = { timeout: timeoutMs, killSignal: 'SIGKILL', signal } as const;
      execFile(program, [...args, path], options, (error, output) => {
        if (error === null) resolve();
        else if (signal.aborted) reject(signal.reason as Error);
        else reject(failureOf(error, output, timeoutMs));
      });
    });
}

type Ended = {
  readonly code?: unknown;
  readonly signal?: NodeJS.Signals | null | undefined;
  readonly killed?: boolean | undefined;
};

function failureOf({ code, signal, killed }: Ended, output: string, ms: number): ModelFailure {
  if (code === refused) {
    const { reason, message } = JSON.parse(output) as FailureMessage;
    return new ModelFailure(reason, message);
  }
  if (killed === true) {
    return new ModelFailure('InvalidModel', `it did not load within ${String(ms / 1000)} s`);
  }
  const how = signal ?? `exit code ${String(code)}`;
  const memory =
    signal === 'SIGKILL' ? '; it may need more memory than the container is allowed' : '';
  return new ModelFailure(
    'InvalidModel',
    `loading it ended the process that tried it first (${how})${memory}`,
  );
}

/** What the process of its own does; gives its exit code. */
export async function probeHere(
  path: string,
  print: (text: string) => unknown,
  scoreFile = '/proc/self/oom_score_adj',
): Promise<number> {
  // Where memory ends, this process goes and not the server; elsewhere than on Linux there is no such file.
  await writeFile(scoreFile, '1000').catch(() => undefined);
  try {
    const session = await openSession(path);
    await warmUp(session, () => undefined);
    await session.close();
    return 0;
  } catch (error) {
    if (!(error instanceof ModelFailure)) throw error;
    print(JSON.stringify(error.toMessage()));
    return refused;
  }
}
