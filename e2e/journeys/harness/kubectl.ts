import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The object as kubectl prints it. */
export type Json = Readonly<Record<string, unknown>>;

/** `at(deployment, 'status.weights.0.version')`; undefined where there is nothing. */
export const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((each, name) => (each as Json | undefined)?.[name], value);

export type Answer = { readonly ok: boolean; readonly stdout: string; readonly stderr: string };

type Settings = {
  readonly kubectl: string;
  readonly kubeconfig: string;
  readonly images: Readonly<Record<string, string>>;
};

/** What `main.ts` of the journeys prepared: the cluster runs, the chart is installed. */
export const settings = (): Settings => {
  const file = join(import.meta.dirname, '../../../.build/journeys.settings.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Settings;
};

/** Runs kubectl to its end; never throws for what the command itself answers. */
export const tryKubectl = (args: readonly string[], input?: string): Promise<Answer> => {
  const { kubectl, kubeconfig } = settings();
  return new Promise((resolve) => {
    const child = execFile(
      kubectl,
      ['--kubeconfig', kubeconfig, ...args],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ ok: error === null, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
};

export const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
  const { ok, stdout, stderr } = await tryKubectl(args, input);
  if (!ok) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`);
  return stdout;
};
