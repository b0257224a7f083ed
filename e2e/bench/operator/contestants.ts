import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../cluster/config.ts';
import { goTool } from '../../cluster/go-tool.ts';
import { bundleProgram } from '../../cluster/images/bundle.ts';
import { createProgress } from '../../cluster/progress.ts';
import { imageSettings } from '../image-settings.ts';
import type { Contestant } from './operator-process.ts';

const config = readConfig();
const image = imageSettings(join(config.repository, 'operator/Containerfile'));

/** Ours, bundled and with Node's flags as the operator's image has them. */
export const ours = async (): Promise<Contestant> => {
  const bundle = join(config.build, 'bench-operator', 'main.js');
  await bundleProgram({
    repository: config.repository,
    entryPoint: join(config.repository, 'e2e/workload/main.ts'),
    outfile: bundle,
  });
  return {
    name: 'ours',
    version: `Node ${process.version}`,
    command: process.execPath,
    args: (kubeconfig, { workers, verifyMs }) => [
      ...image.flags,
      bundle,
      `--kubeconfig=${kubeconfig}`,
      `--workers=${workers}`,
      ...(verifyMs === undefined ? [] : [`--verify-ms=${verifyMs}`]),
    ],
    env: image.env,
  };
};

/** The plain controller-runtime operator under go/. */
export const peer = async (): Promise<Contestant> => {
  const progress = createProgress({ timingsFile: join(config.build, 'timings.jsonl') });
  const goMod = readFileSync(join(import.meta.dirname, 'go/go.mod'), 'utf8');
  const version = /sigs\.k8s\.io\/controller-runtime (v\S+)/.exec(goMod)?.[1] ?? 'unknown';
  return {
    name: 'go',
    version: `controller-runtime ${version}`,
    command: await goTool(config, progress, 'bench-operator'),
    args: (kubeconfig, { workers, json = false }) => [
      `--kubeconfig=${kubeconfig}`,
      `--workers=${workers}`,
      ...(json ? ['--content-type=application/json'] : []),
    ],
    env: {},
  };
};
