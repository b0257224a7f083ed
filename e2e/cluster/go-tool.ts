import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { run } from './command.ts';
import type { Config } from './config.ts';
import type { Progress } from './progress.ts';

/** A program built from Go modules, with a pinned go.mod and go.sum under go/NAME or in `folder`. */
export type GoTool = {
  readonly name: string;
  /** Where its go.mod lies, from the top of the repository. */
  readonly folder?: string;
  /** What to build; `.` for a main of our own. */
  readonly package: string;
  /** What to expect of a first build. */
  readonly coldTime: string;
  readonly flags: readonly string[];
  /** Calls C, and so runs where it was built only. */
  readonly cgo?: boolean;
};

const kubernetesVersion = ['gitVersion=v1.34.4', 'gitMajor=1', 'gitMinor=34']
  .map((variable) => `-X k8s.io/component-base/version.${variable}`)
  .join(' ');

/** Where Istio's version is pinned: for its programs, charts and CRDs. */
export const istioModule = 'e2e/cluster/go/istio';

export const goTools = {
  kube: {
    name: 'kube',
    package: '.',
    coldTime: 'about 5 min',
    flags: ['-tags', 'selinux_skip', '-ldflags', `-s -w ${kubernetesVersion}`],
  },
  'metrics-server': {
    name: 'metrics-server',
    package: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
    coldTime: 'about 2 min',
    flags: ['-ldflags', '-s -w'],
  },
  versitygw: {
    name: 'versitygw',
    package: 'github.com/versity/versitygw/cmd/versitygw',
    coldTime: 'about 2 min',
    flags: ['-ldflags', '-s -w'],
  },
  helm: {
    name: 'helm',
    package: 'helm.sh/helm/v3/cmd/helm',
    coldTime: 'about 1 min',
    flags: ['-ldflags', '-s -w'],
  },
  'local-path-provisioner': {
    name: 'local-path-provisioner',
    package: 'github.com/rancher/local-path-provisioner',
    coldTime: 'about 1 min',
    flags: ['-ldflags', '-s -w'],
  },
  'pilot-discovery': {
    name: 'pilot-discovery',
    folder: istioModule,
    package: 'istio.io/istio/pilot/cmd/pilot-discovery',
    coldTime: 'about 8 min',
    flags: ['-tags', 'disable_pgv', '-ldflags', '-s -w'],
  },
  'pilot-agent': {
    name: 'pilot-agent',
    folder: istioModule,
    package: 'istio.io/istio/pilot/cmd/pilot-agent',
    // With pilot-discovery's tags, so that it finds all of its packages compiled.
    coldTime: 'seconds after pilot-discovery',
    flags: ['-tags', 'disable_pgv', '-ldflags', '-s -w'],
  },
  'bench-operator': {
    name: 'bench-operator',
    folder: 'e2e/bench/operator/go',
    package: '.',
    coldTime: 'about 2 min',
    flags: ['-ldflags', '-s -w'],
  },
  'bench-serving': {
    name: 'bench-serving',
    folder: 'e2e/bench/serving/peers/go',
    package: '.',
    cgo: true,
    coldTime: 'seconds',
    flags: ['-ldflags', '-s -w'],
  },
  pause: { name: 'pause', package: '.', coldTime: 'seconds', flags: ['-ldflags', '-s -w'] },
} as const satisfies Record<string, GoTool>;

export type GoToolName = keyof typeof goTools;

/** Says which binary this is: the same sources and flags always give the same key. */
export function goToolKey(config: Config, name: GoToolName): string {
  const tool: GoTool = goTools[name];
  const folder = moduleFolder(config, name);
  const hash = createHash('sha256').update(
    JSON.stringify([tool.package, tool.flags, process.arch]),
  );
  for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}

/** Where a tool's binary lies once it is built. */
export function goToolPath(config: Config, name: GoToolName): string {
  return join(config.cache, 'bin', goToolKey(config, name), name);
}

/** The path of a tool's binary, built first if this machine has never built these sources. */
export async function goTool(
  config: Config,
  progress: Progress,
  name: GoToolName,
): Promise<string> {
  const tool: GoTool = goTools[name];
  const binary = goToolPath(config, name);
  if (existsSync(binary)) return binary;
  mkdirSync(dirname(binary), { recursive: true });
  await progress.step(`building ${name} (${tool.coldTime} the first time)`, async () => {
    // Built aside and renamed, so that a killed build never leaves half a binary in the cache.
    const unfinished = `${binary}.${process.pid}`;
    try {
      await run('go', ['build', '-trimpath', ...tool.flags, '-o', unfinished, tool.package], {
        cwd: moduleFolder(config, name),
        // Static where it can be, so that the same binary runs here and in an image without a C library.
        env: { CGO_ENABLED: tool.cgo === true ? '1' : '0' },
        logFile: join(config.cache, 'logs', `build-${name}.log`),
      });
      renameSync(unfinished, binary);
    } finally {
      rmSync(unfinished, { force: true });
    }
  });
  return binary;
}

function moduleFolder(config: Config, name: GoToolName): string {
  const { folder = join('e2e/cluster/go', name) }: GoTool = goTools[name];
  return join(config.repository, folder);
}
