import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../cluster/config.ts';
import { goTool } from '../../cluster/go-tool.ts';
import { bundleProgram } from '../../cluster/images/bundle.ts';
import { createProgress } from '../../cluster/progress.ts';
import type { Contestant } from './operator-process.ts';

const config = readConfig();
const containerfile = readFileSync(join(config.repository, 'operator/Containerfile'), 'utf8');

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
      ...imageFlags(),
      bundle,
      `--kubeconfig=${kubeconfig}`,
      `--workers=${workers}`,
      ...(verifyMs === undefined ? [] : [`--verify-ms=${verifyMs}`]),
    ],
    env: imageEnvironment(),
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

/** The ENV line of the image: NAME=value or NAME="value with spaces". */
const imageEnvironment = (): Readonly<Record<string, string>> => {
  const settings = /^ENV (.*)$/m.exec(containerfile)?.[1] ?? '';
  return Object.fromEntries(
    [...settings.matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)].map(([, name = '', quoted, plain]) => [
      name,
      quoted ?? plain ?? '',
    ]),
  );
};

/** What Node is given on the command line there: ["node", …flags, "/app/main.js"]. */
const imageFlags = (): readonly string[] => {
  const words = /^ENTRYPOINT (\[.*\])$/m.exec(containerfile)?.[1];
  if (words === undefined) throw new Error('operator/Containerfile has no ENTRYPOINT in JSON form');
  return (JSON.parse(words) as readonly string[]).slice(1, -1);
};
