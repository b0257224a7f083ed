/** Runs helm; returns what it printed, or nothing with a log file that gets it. */
export type Helm = (args: readonly string[], logFile?: string) => Promise<string>;

/** A run that was interrupted leaves the release locked, and helm would refuse to go on. */
export async function freeRelease(helm: Helm, release: string, namespace: string): Promise<void> {
  const found = ['--namespace', namespace];
  const releases = JSON.parse(
    await helm(['list', ...found, '--all', '--filter', `^${release}$`, '-o', 'json']),
  ) as readonly { readonly status: string }[];
  const status = releases[0]?.status ?? '';
  if (status === 'pending-install') await helm(['uninstall', release, ...found]);
  else if (status.startsWith('pending-')) await helm(['rollback', release, ...found]);
}
