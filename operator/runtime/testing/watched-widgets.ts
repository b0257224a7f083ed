import { Informer, type InformerOptions } from '../informer.ts';
import type { KubernetesObject } from '../resource-type.ts';
import { WIDGET, widget } from './objects.ts';
import { ScriptedCluster } from './scripted-cluster.ts';
import { VirtualClock } from './virtual-clock.ts';

const BY = { fieldManager: 'test' };

/** An informer of widgets on a scripted cluster and a virtual clock, with all that it did. */
export class WatchedWidgets {
  readonly clock = new VirtualClock();
  readonly cluster = new ScriptedCluster(this.clock);
  /** `TYPE name (where seen)`. */
  readonly changes: string[] = [];
  readonly errors: { readonly error: unknown; readonly retryInMs: number }[] = [];
  readonly restarts: string[] = [];
  readonly healed: number[] = [];
  readonly informer: Informer;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: Partial<InformerOptions> = {}) {
    this.informer = new Informer({
      cluster: this.cluster,
      type: WIDGET,
      clock: this.clock,
      random: () => 0.5,
      metrics: {
        restarted: (_resource, cause) => void this.restarts.push(cause),
        cached: () => undefined,
        healed: (_resource, objects) => void this.healed.push(objects),
      },
      onError: (error, retryInMs) => void this.errors.push({ error, retryInMs }),
      onListenerError: (error) => {
        throw error;
      },
      ...options,
    });
    this.informer.onChange(({ type, object }, seen) =>
      this.changes.push(`${type} ${object.metadata.name} (${seen})`),
    );
  }

  async start(): Promise<void> {
    this.#running = this.informer.run(this.#stop.signal);
    await this.clock.settle();
  }

  /** Stops; streams and timers that are left over are returned. */
  async stop(): Promise<{ readonly streams: number; readonly nextTimer: number | undefined }> {
    this.#stop.abort();
    await this.#running;
    return { streams: this.cluster.openWatches, nextTimer: this.clock.nextIn };
  }

  get names(): string[] {
    return this.informer.cache.list().map(({ metadata }) => metadata.name);
  }

  cached(name: string): KubernetesObject | undefined {
    return this.informer.cache.get(keyOf(name));
  }

  create(name: string, metadata: Partial<KubernetesObject['metadata']> = {}) {
    return this.cluster.create(WIDGET, widget(name, metadata), BY);
  }

  change(name: string, value: string) {
    return this.cluster.patch(WIDGET, keyOf(name), [{ op: 'add', path: '/spec/value', value }], BY);
  }

  label(name: string, value: string) {
    const path = '/metadata/labels/team';
    return this.cluster.patch(WIDGET, keyOf(name), [{ op: 'add', path, value }], BY);
  }

  delete(name: string) {
    return this.cluster.delete(WIDGET, keyOf(name));
  }

  /** What is done meanwhile the watch does not tell. */
  async unseen(work: () => Promise<unknown>): Promise<void> {
    this.cluster.silent = true;
    await work();
    await this.clock.settle();
    this.cluster.silent = false;
  }

  /** Breaks the open stream. */
  cut(error = new Error('connection reset')): void {
    this.cluster.watches.at(-1)?.end(error);
  }
}

const keyOf = (name: string) => ({ namespace: 'team', name });
