/** The servers that are measured; each serves one model under the same name. */
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../cluster/command.ts';
import type { Config } from '../../cluster/config.ts';
import { goTool } from '../../cluster/go-tool.ts';
import { bundleServingRuntime } from '../../cluster/images/bundle.ts';
import type { Progress } from '../../cluster/progress.ts';
import { imageSettings } from '../image-settings.ts';
import { pythonEnvironment } from './python.ts';
import type { Command } from './server-process.ts';
import { MODEL_NAME, type Workload } from './workload.ts';

export type Start = {
  readonly workload: Workload;
  readonly port: number;
  readonly grpcPort: number;
  /** Its own, for what it wants to read or write. */
  readonly folder: string;
  /** Where requests and sketches can be sent. */
  readonly ingestUrl: string;
};

export type Contestant = {
  readonly name: string;
  readonly what: string;
  readonly hasGrpc: boolean;
  readonly command: (start: Start) => Promise<Command> | Command;
};

const peers = join(import.meta.dirname, 'peers');

export const contestantsOf = async (
  config: Config,
  progress: Progress,
): Promise<readonly Contestant[]> => {
  await bundleServingRuntime(config);
  return [
    ours(config, 'ours', 'all on: batches, breaker, sketches, metrics', {}),
    ours(config, 'ours-single', 'ours without batches', { MLOPS_BATCH_MAX_ROWS: '1' }),
    ours(config, 'ours-logged', 'ours with every request logged', { MLOPS_LOG_MODE: 'all' }),
    bare(config),
    await go(config, progress),
    await mlserver(config, progress),
    await kserve(config, progress),
    await triton(config, progress),
  ];
};

const ours = (
  config: Config,
  name: string,
  what: string,
  changes: Readonly<Record<string, string>>,
): Contestant => {
  const image = imageSettings(join(config.repository, 'serving-runtime/Containerfile'));
  return {
    ...{ name, what, hasGrpc: true },
    command: ({ workload, port, grpcPort, folder, ingestUrl }) => ({
      command: process.execPath,
      args: [...image.flags, join(config.build, 'serving-runtime/main.js')],
      env: {
        ...image.env,
        ...{ MLOPS_MODEL_NAME: MODEL_NAME, MLOPS_MODEL_VERSION: '1' },
        ...{ MLOPS_MODEL_PATH: workload.path, MLOPS_CACHE_DIR: join(folder, 'cache') },
        MLOPS_MODEL_DIGEST: `sha256:${createHash('sha256').update(readFileSync(workload.path)).digest('hex')}`,
        ...{ MLOPS_HTTP_PORT: String(port), MLOPS_GRPC_PORT: String(grpcPort) },
        ...{ MLOPS_BATCH_MAX_ROWS: '32', MLOPS_BREAKER_FAILURE_PERCENT: '50' },
        ...{ MLOPS_INGEST_URL: ingestUrl, MLOPS_DRAIN_SECONDS: '0', MLOPS_LOG_LEVEL: 'warn' },
        ...{ MLOPS_TERMINATION_LOG: join(folder, 'termination-log') },
        ...changes,
      },
    }),
  };
};

/** Requests that may be at work or wait in the bounded one. */
export const PLACES = 12;

/** Ours with few places to wait, so that what is admitted is answered soon. */
export const oursBounded = (config: Config): Contestant =>
  ours(config, 'ours-bounded', `ours with ${PLACES} places`, {
    MLOPS_CONTAINER_CONCURRENCY: '4',
    MLOPS_QUEUE_SIZE: String(PLACES - 4),
  });

/** Ours with room for all of very many clients, who would otherwise be told to come back later. */
export const oursForMany = (config: Config): Contestant =>
  ours(config, 'ours-many', 'ours with a queue of 20,000', { MLOPS_QUEUE_SIZE: '20000' });

const bare = (config: Config): Contestant => ({
  name: 'bare',
  what: 'node:http and onnxruntime-node, nothing else: the limit of this language',
  hasGrpc: false,
  command: ({ workload, port }) => ({
    command: process.execPath,
    args: [join(peers, 'bare/bare-server.ts'), workload.path, String(port)],
    cwd: config.repository,
    env: { ORT_DISABLE_TELEMETRY: '1' },
  }),
});

const go = async (config: Config, progress: Progress): Promise<Contestant> => {
  const binary = await goTool(config, progress, 'bench-serving');
  const library = join(
    config.repository,
    'node_modules/onnxruntime-node/bin/napi-v6',
    process.platform,
    process.arch,
    'libonnxruntime.so.1',
  );
  return {
    ...{ name: 'go', what: 'Go net/http and ONNX Runtime', hasGrpc: false },
    command: ({ workload, port }) => ({
      command: binary,
      args: [library, workload.path, String(port)],
    }),
  };
};

const environmentOf = (config: Config, progress: Progress, peer: string) =>
  pythonEnvironment(config, progress, peer, join(peers, peer, 'requirements.txt'));

const mlserver = async (config: Config, progress: Progress): Promise<Contestant> => {
  const python = await environmentOf(config, progress, 'mlserver');
  return {
    ...{ name: 'mlserver', what: 'MLServer 1.7.1', hasGrpc: true },
    command: ({ workload, port, grpcPort, folder }) => {
      cpSync(join(peers, 'mlserver/runtime.py'), join(folder, 'runtime.py'));
      const settings = {
        ...{ host: '127.0.0.1', http_port: port, grpc_port: grpcPort, metrics_port: port + 50 },
        ...{ parallel_workers: 0, debug: false, logging_settings: null },
      };
      writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
      const tensor = (name: string, datatype: string, shape: readonly number[]) => ({
        ...{ name, datatype, shape },
      });
      const { input, outputs } = workload;
      const model = {
        ...{ name: MODEL_NAME, implementation: 'runtime.OnnxModel' },
        inputs: [tensor(input.name, 'FP32', [-1, ...input.shape.slice(1)])],
        outputs: outputs.map(({ name, type, dims }) =>
          tensor(name, type, dims.split(',').map(Number)),
        ),
      };
      writeFileSync(join(folder, 'model-settings.json'), JSON.stringify(model));
      return {
        ...{ command: python.program('mlserver'), args: ['start', '.'], cwd: folder },
        env: { BENCH_MODEL: workload.path, PYTHONPATH: folder },
      };
    },
  };
};

const kserve = async (config: Config, progress: Progress): Promise<Contestant> => {
  const { python } = await environmentOf(config, progress, 'kserve');
  return {
    ...{ name: 'kserve', what: "KServe's Python server 0.21.0", hasGrpc: true },
    command: ({ workload, port, grpcPort }) => ({
      command: python,
      args: [
        join(peers, 'kserve/server.py'),
        ...[`--http_port=${port}`, `--grpc_port=${grpcPort}`, '--workers=1'],
      ],
      env: { BENCH_MODEL: workload.path },
    }),
  };
};

const triton = async (config: Config, progress: Progress): Promise<Contestant> => {
  const { python, sitePackages } = await environmentOf(config, progress, 'triton');
  const home = join(sitePackages, 'pytriton/tritonserver');
  const print = 'import sys, sysconfig; print(sys.base_prefix, sysconfig.get_config_var("LIBDIR"))';
  const [prefix = '', libraries = ''] = (await run(python, ['-c', print])).trim().split(' ');
  for (const name of ['backends/python/triton_python_backend_stub', 'bin/tritonserver']) {
    if (name.startsWith('backends')) {
      cpSync(join(home, 'python_backend_stubs/3.11/triton_python_backend_stub'), join(home, name));
    }
    chmodSync(join(home, name), 0o755);
  }
  return {
    name: 'triton',
    what: "Triton's C++ server of nvidia-pytriton 0.7.0 with its Python backend",
    hasGrpc: true,
    command: ({ workload, port, grpcPort, folder }) => {
      const model = join(folder, MODEL_NAME);
      mkdirSync(join(model, '1'), { recursive: true });
      cpSync(join(peers, 'triton/model.py'), join(model, '1/model.py'));
      writeFileSync(join(model, 'config.pbtxt'), tritonConfig(workload));
      return {
        command: join(home, 'bin/tritonserver'),
        args: [
          ...['--model-repository', folder, '--backend-directory', join(home, 'backends')],
          ...['--http-address', '127.0.0.1', '--http-port', String(port)],
          ...['--grpc-address', '127.0.0.1', '--grpc-port', String(grpcPort)],
          ...['--allow-metrics', 'false'],
        ],
        env: {
          ...{ BENCH_MODEL: workload.path, BENCH_SITE_PACKAGES: sitePackages, PYTHONHOME: prefix },
          LD_LIBRARY_PATH: [libraries, join(sitePackages, 'nvidia_pytriton.libs')].join(':'),
        },
      };
    },
  };
};

const tritonConfig = ({ input, outputs }: Workload): string => {
  const dims = ['-1', ...input.shape.slice(1).map(String)].join(', ');
  const given = outputs.map(
    ({ name, type, dims: shape }) => `{ name: "${name}" data_type: TYPE_${type} dims: [${shape}] }`,
  );
  return [
    `name: "${MODEL_NAME}"`,
    'backend: "python"',
    'max_batch_size: 0',
    `input [{ name: "${input.name}" data_type: TYPE_FP32 dims: [${dims}] }]`,
    `output [${given.join(', ')}]`,
    'instance_group [{ count: 1 kind: KIND_CPU }]',
  ].join('\n');
};
