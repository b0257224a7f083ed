import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { destination, pino, stdTimeFunctions } from 'pino';
import { KubernetesCluster } from '../../operator/runtime/kubernetes-cluster.ts';
import { newMetrics } from '../../operator/telemetry/metrics.ts';
import { AppOperator } from './app-operator.ts';
import { OptionError, parseOptions, type WorkloadOptions } from './options.ts';
import { listenForStatus } from './status-server.ts';

/**
 * A small operator on this runtime, as a process of its own: what benchmarks measure and fault
 * cases put into trouble. Logs JSON on standard error, ends cleanly on SIGTERM.
 */
const main = async (options: WorkloadOptions): Promise<void> => {
  const log = pino(
    {
      level: options.logLevel,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ fd: 2, sync: true }),
  );
  const stopped = signalled();
  const forget = chooseServer(options);
  const metrics = newMetrics();
  const operator = new AppOperator({
    cluster: KubernetesCluster.fromEnvironment(metrics.apiCalls),
    log,
    metrics,
    workers: options.workers,
    finalizerDeadlineMs: 600_000,
    identity: options.identity,
    namespace: options.namespace,
    lease: options.lease,
    verifyMs: options.verifyMs,
    leaseTimes: options.leaseTimes,
    shards: options.shards,
  });
  const server =
    options.healthPort === 0
      ? undefined
      : await listenForStatus(options.healthPort, {
          ready: () => operator.ready,
          debug: () => operator.debug(),
          metrics,
        });
  const started = operator.start();
  await stopped;
  operator.stop();
  await Promise.all([started, operator.stopped()]);
  server?.close();
  forget();
};

const signalled = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });

/** Lets the runtime find its server as it always does: by KUBECONFIG. Returns what undoes it. */
const chooseServer = ({ kubeconfig, server }: WorkloadOptions): (() => void) => {
  if (kubeconfig !== undefined) process.env['KUBECONFIG'] = kubeconfig;
  if (server === undefined) return () => undefined;
  const folder = mkdtempSync(join(tmpdir(), 'app-operator-'));
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, JSON.stringify(plainKubeconfig(server)));
  process.env['KUBECONFIG'] = file;
  return () => rmSync(folder, { recursive: true, force: true });
};

const plainKubeconfig = (server: string): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'plain', cluster: { server, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'nobody', user: {} }],
  contexts: [{ name: 'plain', context: { cluster: 'plain', user: 'nobody' } }],
  'current-context': 'plain',
});

try {
  await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(
    `${error instanceof OptionError ? error.message : String((error as Error).stack)}\n`,
  );
  process.exitCode = 1;
}
