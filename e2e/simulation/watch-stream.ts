import { type WatchEvent, type WatchOptions } from '../../operator/runtime/cluster.ts';
import { matchesFields } from '../../operator/runtime/field-selector.ts';
import { matchesLabels } from '../../operator/runtime/label-selector.ts';
import {
  apiVersionOf,
  type KubernetesObject,
  type ResourceType,
} from '../../operator/runtime/resource-type.ts';
import { idOf, type SimulatedApiServer, type StoredChange } from './api-server.ts';
import type { FaultPlan } from './fault-plan.ts';
import { brokenConnection, type Link } from './link.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { SimulationClock } from './simulation-clock.ts';
import type { Trace } from './trace.ts';

export type StreamOptions = {
  readonly server: SimulatedApiServer;
  readonly clock: SimulationClock;
  readonly process: SimulatedProcess;
  readonly link: Link;
  readonly plan: FaultPlan;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly type: ResourceType;
  readonly watch: WatchOptions;
};

/**
 * Events that had been overtaken when their client hung up, by connection and type. Its next watch
 * begins behind them, so they come with that one: no server loses an event it has put in order.
 */
const left = new WeakMap<Link, Map<string, readonly WatchEvent[]>>();

/** The server sends a bookmark so long before it ends a stream (reference: cacher.go). */
const BOOKMARK_BEFORE_END_MS = 2_000;

/** One open watch: a queue of events, each with a delay of its own, that may be cut or fall silent. */
export class WatchStream {
  readonly #options: StreamOptions;
  readonly #buffer: WatchEvent[] = [];
  readonly #timers: unknown[] = [];
  #unsubscribe: () => void = () => undefined;
  #wake: () => void = () => undefined;
  #ended: { readonly error?: Error } | undefined;
  /** Nothing overtakes what was sent before, unless a fault says so. */
  #lastDelivery = 0;
  /** Under way. */
  readonly #sent = new Set<WatchEvent>();
  /** The newest that has arrived. */
  #newest = 0;
  #frozen = false;

  /** Throws 410 when the version is too old. */
  static open(options: StreamOptions): WatchStream {
    return new WatchStream(options);
  }

  constructor(options: StreamOptions) {
    this.#options = options;
    const { watch, server, type, link } = options;
    for (const event of left.get(link)?.get(keyOf(options)) ?? []) this.#deliver(event);
    left.get(link)?.delete(keyOf(options));
    if (watch.initialEvents === true) this.#showAll();
    else
      for (const change of server.changesSince(type, Number(watch.resourceVersion)))
        this.#send(change);
    this.#unsubscribe = server.onChange((change) => {
      if (idOf(change.type) === idOf(type)) this.#send(change);
    });
    this.#plan();
    watch.signal.addEventListener('abort', this.#abort, { once: true });
    if (watch.signal.aborted) this.#end({});
  }

  async *events(): AsyncIterable<WatchEvent> {
    for (;;) {
      for (let next = this.#buffer.shift(); next !== undefined; next = this.#buffer.shift())
        yield next;
      if (this.#ended?.error !== undefined) throw this.#ended.error;
      if (this.#ended !== undefined) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#end({});
  }

  readonly #abort = (): void => {
    const { link } = this.#options;
    const ofLink = left.get(link) ?? new Map<string, readonly WatchEvent[]>();
    left.set(link, ofLink.set(keyOf(this.#options), this.#overtaken));
    this.#end({});
  };

  /** How and when this stream ends, and whether it stays silent till then. */
  #plan(): void {
    const { link, plan, random, process, watch, trace, type } = this.#options;
    const wholeMs = watch.timeoutSeconds * 1000;
    if (link.draws(plan.streams.cut)) {
      const error = random.chance(0.5) ? brokenConnection() : undefined;
      const afterMs = random.next() * 10_000;
      this.#after(afterMs, () => this.#end(error === undefined ? {} : { error }));
    }
    if (link.draws(plan.streams.frozen)) {
      this.#frozen = true;
      trace.add(process.identity, `watch ${type.plural} freezes`);
      return;
    }
    this.#after(wholeMs - BOOKMARK_BEFORE_END_MS, () => this.#deliver(this.#bookmark()));
    this.#after(wholeMs, () => this.#end({}));
  }

  #showAll(): void {
    const { server, type } = this.#options;
    const objects = server.live<KubernetesObject>(type).filter((object) => this.#selects(object));
    for (const object of objects) this.#deliver({ type: 'ADDED', object: this.#shown(object) });
    this.#deliver(this.#bookmark({ 'k8s.io/initial-events-end': 'true' }));
  }

  #bookmark(annotations?: Readonly<Record<string, string>>): WatchEvent {
    const { type, server } = this.#options;
    const resourceVersion = String(server.version);
    return {
      type: 'BOOKMARK',
      object: {
        apiVersion: apiVersionOf(type),
        kind: type.kind,
        metadata: { name: '', resourceVersion, ...(annotations && { annotations }) },
      },
    };
  }

  #send(change: StoredChange): void {
    const { link, plan } = this.#options;
    const event = this.#asSelected(change);
    if (event === undefined || this.#ended !== undefined) return;
    if (link.draws(plan.streams.lost)) return;
    this.#deliver(event, link.draws(plan.streams.reordered));
    if (link.draws(plan.streams.repeated)) this.#deliver(event);
  }

  #deliver(event: WatchEvent, overtaken = false): void {
    const { clock, link, plan, random } = this.#options;
    if (this.#frozen || link.cut) {
      this.#frozen = true;
      return;
    }
    const delayMs = link.faulty ? random.next() * plan.slowestEventMs : 1;
    const at = Math.max(this.#lastDelivery, clock.monotonic() + delayMs);
    if (!overtaken) this.#lastDelivery = at;
    this.#sent.add(event);
    this.#after(at - clock.monotonic() + (overtaken ? 500 : 0), () => {
      this.#sent.delete(event);
      this.#newest = Math.max(this.#newest, versionOf(event));
      this.#buffer.push(event);
      this.#wake();
    });
  }

  /** What has been overtaken by what came after it: its client begins behind it next time. */
  get #overtaken(): readonly WatchEvent[] {
    return [...this.#sent]
      .filter((event) => versionOf(event) < this.#newest)
      .toSorted((a, b) => versionOf(a) - versionOf(b));
  }

  /** As a watch with a selector sees it: what begins to match is added, what ceases to is deleted. */
  #asSelected({ what, object, before }: StoredChange): WatchEvent | undefined {
    const did = before !== undefined && this.#selects(before);
    const does = what !== 'DELETED' && this.#selects(object);
    if (does) return { type: did ? 'MODIFIED' : 'ADDED', object: this.#shown(object) };
    return did ? { type: 'DELETED', object: this.#shown(object) } : undefined;
  }

  #selects(object: KubernetesObject): boolean {
    const { namespace, labelSelector, fieldSelector } = this.#options.watch;
    const { metadata } = object;
    return (
      (namespace === undefined || metadata.namespace === namespace) &&
      matchesLabels(labelSelector, metadata.labels) &&
      matchesFields(fieldSelector, object)
    );
  }

  #shown(object: KubernetesObject): KubernetesObject {
    return this.#options.watch.metadataOnly === true ? metadataOf(object) : object;
  }

  #after(delayMs: number, step: () => void): void {
    const { process } = this.#options;
    this.#timers.push(
      process.clock.setTimeout(() => {
        if (this.#ended === undefined) step();
      }, delayMs),
    );
  }

  #end(how: { readonly error?: Error }): void {
    if (this.#ended !== undefined) return;
    this.#ended = how;
    this.#buffer.push(...this.#overtaken);
    this.#unsubscribe();
    for (const timer of this.#timers) this.#options.process.clock.clearTimeout(timer);
    this.#options.watch.signal.removeEventListener('abort', this.#abort);
    this.#wake();
  }
}

const versionOf = (event: WatchEvent): number =>
  event.type === 'ERROR' ? 0 : Number(event.object.metadata.resourceVersion);

/** What one client watches; a selector makes it another watch. */
const keyOf = ({ type, watch }: StreamOptions): string =>
  [
    idOf(type),
    watch.namespace,
    watch.labelSelector,
    watch.fieldSelector,
    watch.metadataOnly,
  ].join();

/** As PartialObjectMetadata has it. */
export const metadataOf = ({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject => ({
  apiVersion,
  kind,
  metadata,
});
