import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { startFaultProxy, type FaultProxy } from '../proxy/fault-proxy.ts';
import { KubeClient } from './kube-client.ts';
import { settings } from './settings.ts';
import { appCrd, CRDS } from './stage.ts';
import { until } from './until.ts';

/** A request of a replica as the API server recorded it; times in ms since the epoch. */
export type Audited = {
  readonly user: string;
  readonly verb: string;
  readonly resource: string;
  readonly object: string;
  readonly code: number;
  readonly receivedAt: number;
  readonly endedAt: number;
};

type Kubeconfig = {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, unknown>> }[];
};

type AuditEvent = {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
};

export const NAMESPACE = 'audited';
const ACCOUNTS = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
const BINDINGS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
const PREFIX = `system:serviceaccount:${NAMESPACE}:`;
const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/**
 * An etcd and a real API server whose audit log tells what each replica asked for: every replica is
 * a service account of its own.
 */
export class AuditedPlane {
  readonly dir: string;
  readonly kube: KubeClient;
  readonly #plane: ControlPlane;
  readonly #door: FaultProxy;

  constructor(dir: string, plane: ControlPlane, door: FaultProxy) {
    this.dir = dir;
    this.#plane = plane;
    this.#door = door;
    this.kube = new KubeClient(door.url);
  }

  static async open(): Promise<AuditedPlane> {
    mkdirSync(settings.logs, { recursive: true });
    const dir = mkdtempSync(join(tmpdir(), 'mlops-audited-'));
    writeFileSync(join(dir, 'policy.json'), JSON.stringify(POLICY));
    const plane = await startControlPlane({
      dir: join(dir, 'kubernetes'),
      apiserverFlags: [
        `--audit-policy-file=${join(dir, 'policy.json')}`,
        `--audit-log-path=${join(dir, 'audit.log')}`,
        '--audit-log-maxsize=100000',
      ],
    });
    const door = await startFaultProxy({ kubeconfig: plane.kubeconfig });
    const audited = new AuditedPlane(dir, plane, door);
    await audited.#prepare();
    return audited;
  }

  async #prepare(): Promise<void> {
    await this.kube.create(CRDS, appCrd());
    await until('the kind App', 30, async () =>
      (await this.kube.list('/apis/bench.mlops.pynomaly.io/v1/apps')) ? true : undefined,
    );
    await this.kube.create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE },
    });
    await this.kube.create(BINDINGS, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: NAMESPACE },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'cluster-admin',
      },
      subjects: [
        {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'Group',
          name: `system:serviceaccounts:${NAMESPACE}`,
        },
      ],
    });
  }

  /** Makes a service account and a kubeconfig of it; returns the kubeconfig's path. */
  async newUser(name: string): Promise<string> {
    await this.kube.create(ACCOUNTS, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name },
    });
    const { status } = await this.kube.send<{ readonly status: { readonly token: string } }>(
      'POST',
      `${ACCOUNTS}/${name}/token`,
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    );
    const admin = load(readFileSync(this.#plane.kubeconfig, 'utf8')) as Kubeconfig;
    const path = join(this.dir, `${name}.kubeconfig`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'audited', cluster: admin.clusters[0]?.cluster }],
      users: [{ name, user: { token: status.token } }],
      contexts: [{ name: 'audited', context: { cluster: 'audited', user: name } }],
      'current-context': 'audited',
    };
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }

  /** All finished requests of replicas so far, in the order they were received. */
  audited(): readonly Audited[] {
    // The last line may be half written.
    const lines = readFileSync(join(this.dir, 'audit.log'), 'utf8').split('\n').slice(0, -1);
    return lines
      .map((line) => auditedOf(JSON.parse(line) as AuditEvent))
      .toSorted((a, b) => a.receivedAt - b.receivedAt);
  }

  async close(): Promise<void> {
    await this.#door.stop();
    await this.#plane.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Whether a request changed something that only a leader may change. */
export const isLeadersWrite = ({ verb, resource, code }: Audited): boolean =>
  WRITES.has(verb) && resource !== 'leases' && code >= 200 && code < 300;

const auditedOf = (event: AuditEvent): Audited => {
  const { resource = '', namespace = '', name = '' } = event.objectRef ?? {};
  return {
    user: event.user.username.slice(PREFIX.length),
    verb: event.verb,
    resource,
    object: `${namespace}/${name}`,
    code: event.responseStatus?.code ?? 0,
    receivedAt: Date.parse(event.requestReceivedTimestamp),
    endedAt: Date.parse(event.stageTimestamp),
  };
};

const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'None', verbs: ['watch'] },
    { level: 'Metadata', userGroups: [`system:serviceaccounts:${NAMESPACE}`] },
    { level: 'None' },
  ],
};
