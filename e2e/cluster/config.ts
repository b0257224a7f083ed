import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where everything of the local cluster lies; all paths absolute. */
export type Config = {
  /** The clone this program runs from. */
  readonly repository: string;
  /** Generated files of this clone (bundles, image contexts, timings). */
  readonly build: string;
  /** What clones share: binaries, the images' storage. Safe to delete at any time. */
  readonly cache: string;
  /** Registry prefix of our image refs: `localhost` unless IMAGE_REGISTRY names another. */
  readonly registry: string;
  /** Push built images instead of loading them into the local cluster (PUSH=1). */
  readonly push: boolean;
  /** Base images of a user's own (BASE_IMAGE, NODE_BASE_IMAGE) instead of the one built here. */
  readonly baseImage: string | undefined;
  readonly nodeBaseImage: string | undefined;
  /** What package managers inside an image build need of this machine: proxies, indexes, CAs. */
  readonly buildEnvironment: Readonly<Record<string, string>>;
};

/**
 * One fixed place for the cluster, so that two clones can never run two clusters at once. `data`
 * survives a reboot, `run` does not, exactly like the processes, mounts and interfaces it names.
 */
export const clusterFolders = {
  data: '/var/lib/mlops-cluster',
  run: '/run/mlops-cluster',
} as const;

/** Marks every process we start; its value tells clusters apart from servers of tests. */
export const processMarker = 'MLOPS_CLUSTER_HOME';

const passedToBuilds =
  /^(https?_proxy|no_proxy|all_proxy|pip_(index_url|extra_index_url|trusted_host|default_timeout))$/i;

/** Reads the environment once; every other file takes its values as arguments. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const repository = resolve(import.meta.dirname, '../..');
  return {
    repository,
    build: join(repository, '.build'),
    cache: join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'mlops-operator'),
    registry: (env['IMAGE_REGISTRY'] || 'localhost').replace(/\/+$/, ''),
    push: env['PUSH'] === '1',
    baseImage: env['BASE_IMAGE'] || undefined,
    nodeBaseImage: env['NODE_BASE_IMAGE'] || undefined,
    buildEnvironment: Object.fromEntries(
      Object.entries(env).filter(
        (entry): entry is [string, string] => passedToBuilds.test(entry[0]) && !!entry[1],
      ),
    ),
  };
}
