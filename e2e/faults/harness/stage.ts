import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { startFaultProxy, type FaultProxy } from '../proxy/fault-proxy.ts';
import { KubeClient } from './kube-client.ts';
import {
  startOperator,
  type OperatorProcess,
  type OperatorProcessOptions,
} from './operator-process.ts';
import { settings } from './settings.ts';
import { until } from './until.ts';

const repository = join(import.meta.dirname, '../../..');
export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const APP_CRD = 'apps.bench.mlops.pynomaly.io';

export const appCrd = (): { spec: Record<string, unknown> } & Record<string, unknown> =>
  load(readFileSync(join(repository, 'e2e/workload/apps.crd.yaml'), 'utf8')) as never;

type CaseOptions = Omit<OperatorProcessOptions, 'kubeconfig' | 'logFile'>;

/** One fault case: a namespace, a proxy of its own, and operators behind it. */
export type FaultCase = {
  readonly namespace: string;
  readonly proxy: FaultProxy;
  /** Another way to the server, for a second replica. */
  readonly newProxy: (seed?: number) => Promise<FaultProxy>;
  /** Starts an operator behind `proxy` (or another one) that watches the case's namespace. */
  readonly operator: (
    args?: readonly string[],
    options?: CaseOptions,
    via?: FaultProxy,
  ) => OperatorProcess;
};

/** An etcd and a real API server with the kind App, and a way to them without faults. */
export class Stage {
  readonly dir: string;
  readonly plane: ControlPlane;
  readonly kube: KubeClient;
  readonly #door: FaultProxy;
  #cases = 0;
  #cleanUps: (() => Promise<void>)[] = [];

  constructor(dir: string, plane: ControlPlane, door: FaultProxy) {
    this.dir = dir;
    this.plane = plane;
    this.#door = door;
    this.kube = new KubeClient(door.url);
  }

  static async open(options: { readonly controllers?: boolean } = {}): Promise<Stage> {
    mkdirSync(settings.logs, { recursive: true });
    const dir = mkdtempSync(join(tmpdir(), 'mlops-faults-'));
    const plane = await startControlPlane({ dir: join(dir, 'kubernetes'), ...options });
    const door = await startFaultProxy({ kubeconfig: plane.kubeconfig });
    const stage = new Stage(dir, plane, door);
    await stage.installAppCrd();
    return stage;
  }

  async installAppCrd(): Promise<void> {
    await this.kube.create(CRDS, appCrd());
    await until('the kind App', 30, async () =>
      (await this.kube.list('/apis/bench.mlops.pynomaly.io/v1/apps')) ? true : undefined,
    );
  }

  /** Everything it starts is ended by `endCase`. */
  async newCase(name: string): Promise<FaultCase> {
    const namespace = `${name}-${(this.#cases += 1)}`;
    await this.newNamespace(namespace);
    const newProxy = async (seed = 1): Promise<FaultProxy> => {
      const proxy = await startFaultProxy({ kubeconfig: this.plane.kubeconfig, seed });
      this.#cleanUps.push(() => proxy.stop());
      return proxy;
    };
    const proxy = await newProxy();
    let operators = 0;
    return {
      namespace,
      proxy,
      newProxy,
      operator: (args = ['--namespace', namespace], options = {}, via = proxy) => {
        const id = `${namespace}-operator-${(operators += 1)}`;
        const operator = startOperator(args, {
          ...options,
          kubeconfig: this.plainKubeconfig(`${id}.kubeconfig`, via.url),
          logFile: join(settings.logs, `${id}.log`),
        });
        this.#cleanUps.push(() => operator.kill('SIGKILL'));
        return operator;
      },
    };
  }

  /** Also ends a process of a test's own at the end of the case. */
  atEnd(cleanUp: () => Promise<void>): void {
    this.#cleanUps.push(cleanUp);
  }

  async endCase(): Promise<void> {
    const cleanUps = this.#cleanUps.reverse();
    this.#cleanUps = [];
    for (const cleanUp of cleanUps) await cleanUp();
  }

  async newNamespace(name: string): Promise<void> {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await this.kube.create('/api/v1/namespaces', namespace);
  }

  plainKubeconfig(file: string, server: string): string {
    const path = join(this.dir, file);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'faults', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'nobody', user: {} }],
      contexts: [{ name: 'faults', context: { cluster: 'faults', user: 'nobody' } }],
      'current-context': 'faults',
    };
    writeFileSync(path, JSON.stringify(config));
    return path;
  }

  /** The pid of `etcd` or `kube-apiserver` of this stage, by the folder in its command line. */
  pidOf(program: 'etcd' | 'kube-apiserver'): number {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const command = commandLine(pid);
      if (command[1] === program && command.some((part) => part.includes(this.dir)))
        return Number(pid);
    }
    throw new Error(`No ${program} of ${this.dir} is running.`);
  }

  async close(): Promise<void> {
    await this.endCase();
    await this.#door.stop();
    await this.plane.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const commandLine = (pid: string): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It has ended meanwhile.
    return [];
  }
};
