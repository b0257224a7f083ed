import { join } from 'node:path';

import type { Context } from '../../cluster/cluster.ts';
import { readConfig } from '../../cluster/config.ts';
import { createProgress } from '../../cluster/progress.ts';
import type { Target } from '../../demo/target.ts';
import { helm, kubectl } from './kubectl.ts';
import { settings } from './settings.ts';

/** For functions of the demo and of the cluster, which say what they do; here the test says it. */
export const demoContext = (): Context => {
  const config = readConfig();
  const timingsFile = join(config.build, 'timings.jsonl');
  return { config, progress: createProgress({ timingsFile, write: () => undefined }) };
};

/** The cluster the journeys run on, as the demo's functions take it. */
export const demoTarget = (): Target => ({
  local: true,
  kubeconfig: settings().kubeconfig,
  images: settings().images,
  kubectl,
  helm: (args) => helm(...args),
});
