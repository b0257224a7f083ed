import { at, kubectl, listAt, tryKubectl, type Answer, type Json } from './kubectl.ts';
import { until } from './until.ts';

/** Anything JSON with a kind; what journeys write. */
export type Manifest = {
  readonly kind: string;
  readonly metadata: { readonly name: string };
} & Record<string, unknown>;

export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
};

/** One namespace of a journey, with the verbs of its sentences. PodSecurity is `restricted`, as users should have it. */
export class Tenant {
  readonly namespace: string;

  private constructor(namespace: string) {
    this.namespace = namespace;
  }

  static async named(namespace: string): Promise<Tenant> {
    await tryKubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s']);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace, labels },
      }),
    );
    return new Tenant(namespace);
  }

  /** Applies manifests of ours (apiVersion is filled in) or any others. */
  async apply(...manifests: readonly Manifest[]): Promise<void> {
    const { ok, stderr } = await this.tryApply(...manifests);
    if (!ok) throw new Error(`kubectl apply: ${stderr.trim()}`);
  }

  /** The same, for manifests that should be refused. */
  tryApply(...manifests: readonly Manifest[]): Promise<Answer> {
    const items = manifests.map((each) => ({ apiVersion: 'mlops.pynomaly.io/v1alpha1', ...each }));
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    return tryKubectl(['apply', '-n', this.namespace, '-f', '-'], list);
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(['-n', this.namespace, ...args]);
  }

  async get(kind: string, name: string): Promise<Json | undefined> {
    const { ok, stdout, stderr } = await tryKubectl([
      '-n',
      this.namespace,
      'get',
      kind,
      name,
      '-o',
      'json',
    ]);
    if (!ok && stderr.includes('NotFound')) return undefined;
    if (!ok) throw new Error(stderr);
    return JSON.parse(stdout) as Json;
  }

  async list(kind: string, selector?: string): Promise<readonly Json[]> {
    const chosen = selector === undefined ? [] : ['-l', selector];
    const text = await kubectl(['-n', this.namespace, 'get', kind, ...chosen, '-o', 'json']);
    return (JSON.parse(text) as { items: Json[] }).items;
  }

  /** A condition that speaks of the spec as it is now. */
  async condition(kind: string, name: string, type: string): Promise<Condition | undefined> {
    const object = await this.get(kind, name);
    const conditions = listAt(object, 'status.conditions') as unknown as readonly Condition[];
    const found = conditions.find((each) => each.type === type);
    return found?.observedGeneration === at(object, 'metadata.generation') ? found : undefined;
  }

  /** Waits for a condition and returns it; fails with the object's story. */
  async awaits(
    kind: string,
    name: string,
    wanted: Partial<Condition> & { type: string },
    seconds = 180,
  ): Promise<Condition> {
    return this.until(`${kind}/${name} ${JSON.stringify(wanted)}`, seconds, async () => {
      const found = await this.condition(kind, name, wanted.type);
      const fits =
        found !== undefined &&
        (wanted.status ?? found.status) === found.status &&
        (wanted.reason ?? found.reason) === found.reason;
      return fits ? found : undefined;
    });
  }

  /** Waits until `look` finds something; fails with the namespace's story. */
  until<T>(what: string, seconds: number, look: () => Promise<T | undefined>): Promise<T> {
    return until(what, seconds, look, () => this.story());
  }

  /** What a person would look at first. */
  async story(): Promise<string> {
    const objects = await tryKubectl(['-n', this.namespace, 'get', 'mlops,jobs,pods']);
    const events = await tryKubectl(['-n', this.namespace, 'events']);
    return `${objects.stdout}\n${events.stdout.split('\n').slice(-40).join('\n')}`;
  }

  /** Has the namespace deleted without waiting for the end of it. */
  async abandon(): Promise<void> {
    await kubectl(['delete', 'namespace', this.namespace, '--ignore-not-found', '--wait=false']);
  }

  async delete(seconds = 120): Promise<void> {
    await kubectl([
      'delete',
      'namespace',
      this.namespace,
      '--ignore-not-found',
      `--timeout=${seconds}s`,
    ]);
  }
}
