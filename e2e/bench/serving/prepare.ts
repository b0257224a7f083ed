/** What every program that starts these servers needs first. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, type Config } from '../../cluster/config.ts';
import { createProgress, type Progress } from '../../cluster/progress.ts';
import { contestantsOf, type Contestant } from './contestants.ts';
import { pythonEnvironment } from './python.ts';
import { prepareWorkloads, type Workload } from './workload.ts';

export type Prepared = {
  readonly config: Config;
  readonly progress: Progress;
  /** For files of the run. */
  readonly folder: string;
  readonly workloads: readonly Workload[];
  readonly contestants: readonly Contestant[];
};

/** Installs and builds what this machine has never had; `name` is that of the folder below .build. */
export const prepare = async (name: string): Promise<Prepared> => {
  const config = readConfig();
  const progress = createProgress({ timingsFile: join(config.build, 'timings.jsonl') });
  const folder = join(config.build, name);
  mkdirSync(folder, { recursive: true });
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const python = async () =>
    (await pythonEnvironment(config, progress, 'models', requirements)).python;
  const workloads = await prepareWorkloads(config.repository, join(folder, 'models'), python);
  return {
    config,
    progress,
    folder,
    workloads,
    contestants: await contestantsOf(config, progress),
  };
};
