import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFaultProxy } from '../../faults/proxy/fault-proxy.ts';
import { AppWatch } from './app-watch.ts';
import { APPS, kubeconfigOf, type BenchCluster } from './bench-cluster.ts';
import type { FaultCase } from './fault-cases.ts';
import { Load, warmUp } from './load.ts';
import { OperatorProcess, type Contestant } from './operator-process.ts';

export type FaultResult = {
  readonly contestant: Contestant['name'];
  readonly name: string;
  /** Undefined where it was given up. */
  readonly createSeconds: number | undefined;
  readonly changeSeconds: number | undefined;
  /** Of both phases together, as the operator sent them; those that got no answer too. */
  readonly requests: number;
  /** Still without what was wanted when time was up. */
  readonly left: number;
};

type Who = { readonly contestant: Contestant; readonly workers: number; readonly objects: number };

/** One operator through one kind of trouble: so many Apps created, then all changed. */
export const runFaultCase = async (
  cluster: BenchCluster,
  { contestant, workers, objects }: Who,
  fault: FaultCase,
): Promise<FaultResult> => {
  const proxy = await startFaultProxy({ kubeconfig: cluster.kubeconfig, seed: 1 });
  const kubeconfig = join(cluster.dir, 'proxied.kubeconfig');
  // client-node takes plain HTTP only where certificates are not checked anyway.
  const plain = { server: proxy.url, 'insecure-skip-tls-verify': true };
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(plain, {})));
  const watch = new AppWatch(cluster.api, APPS);
  await watch.start();
  const { verifyMs } = fault;
  const operator = OperatorProcess.start(
    contestant,
    kubeconfig,
    { workers, json: true, ...(verifyMs !== undefined && { verifyMs }) },
    join(cluster.dir, `${contestant.name}-faults.log`),
  );
  try {
    await warmUp(cluster.api, watch);
    fault.inflict(proxy);
    proxy.calls.clear();
    const load = new Load(cluster.api, watch, objects);
    const create = await timed(watch, fault, () => load.create('one'));
    const change =
      create.left > 0 ? undefined : await timed(watch, fault, () => load.change('two'));
    return {
      contestant: contestant.name,
      name: fault.name,
      createSeconds: create.seconds,
      changeSeconds: change?.seconds,
      requests: proxy.calls.count(),
      left: create.left + (change?.left ?? 0),
    };
  } finally {
    await operator.stop('SIGKILL');
    await watch.stop();
    await proxy.stop();
    await cluster.empty();
  }
};

const timed = async (
  watch: AppWatch,
  { limitSeconds }: FaultCase,
  act: () => Promise<void>,
): Promise<{ readonly seconds: number | undefined; readonly left: number }> => {
  const startedAt = performance.now();
  await act();
  const { left } = await watch.reached(limitSeconds * 1000);
  return { left, seconds: left > 0 ? undefined : (performance.now() - startedAt) / 1000 };
};
