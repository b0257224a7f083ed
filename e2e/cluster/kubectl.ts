import { run } from './command.ts';

/** Runs kubectl out of the cluster's one binary, and returns what it printed. */
export function kubectl(
  kube: string,
  kubeconfig: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  return run(
    kube,
    ['kubectl', `--kubeconfig=${kubeconfig}`, ...args],
    input === undefined ? {} : { input },
  );
}
