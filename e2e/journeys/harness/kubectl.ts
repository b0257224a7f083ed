import { execFile } from 'node:child_process';

import { settings } from './settings.ts';

/** The object as kubectl prints it. */
export type Json = Readonly<Record<string, unknown>>;

/** `at(deployment, 'status.weights.0.version')`; undefined where there is nothing. */
export const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((each, name) => (each as Json | undefined)?.[name], value);

/** The text at a path; empty where there is none. */
export const textAt = (value: unknown, path: string): string => {
  const found = at(value, path);
  return typeof found === 'string' ? found : '';
};

/** The list at a path; empty where there is none. */
export const listAt = (value: unknown, path: string): readonly Json[] =>
  (at(value, path) ?? []) as readonly Json[];

export type Answer = { readonly ok: boolean; readonly stdout: string; readonly stderr: string };

/** Runs kubectl to its end; never throws for what the command itself answers. */
export const tryKubectl = (args: readonly string[], input?: string): Promise<Answer> => {
  const { kubectl, kubeconfig } = settings();
  return runProgram(kubectl, ['--kubeconfig', kubeconfig, ...args], input);
};

export const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
  const { ok, stdout, stderr } = await tryKubectl(args, input);
  if (!ok) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`);
  return stdout;
};

/** What `kubectl get … -o json` prints. */
export const kubectlJson = async (...args: readonly string[]): Promise<Json> =>
  JSON.parse(await kubectl([...args, '-o', 'json'])) as Json;

export const helm = async (...args: readonly string[]): Promise<string> => {
  const { helm: program, kubeconfig } = settings();
  const { ok, stdout, stderr } = await runProgram(program, ['--kubeconfig', kubeconfig, ...args]);
  if (!ok) throw new Error(`helm ${args.join(' ')}: ${stderr.trim()}\n${stdout}`);
  return stdout;
};

const runProgram = (program: string, args: readonly string[], input?: string): Promise<Answer> =>
  new Promise((resolve) => {
    const child = execFile(
      program,
      [...args],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ ok: error === null, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
