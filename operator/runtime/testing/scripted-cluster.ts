import { MemoryCluster } from '../memory-cluster.ts';
import {
  ApiError,
  type ListOptions,
  type ObjectList,
  type WatchEvent,
  type WatchOptions,
} from '../cluster.ts';
import type { KubernetesObject, ResourceType } from '../resource-type.ts';

type Watch = {
  readonly options: WatchOptions;
  readonly type: ResourceType;
  /** Ends the stream: by closing it, or with an error. */
  end(error?: Error): void;
  /** Puts an event into the stream that the cluster never sent. */
  send(event: WatchEvent): void;
};

/** A memory cluster whose lists and watches can be watched, broken, silenced and fed by hand. */
export class ScriptedCluster extends MemoryCluster {
  readonly lists: ListOptions[] = [];
  readonly watches: Watch[] = [];
  /** Thrown by the next lists, one each. */
  readonly listErrors: Error[] = [];
  /** Thrown by the next watches, one each. */
  readonly watchErrors: Error[] = [];
  /** Answers of the next lists instead of the true ones. */
  readonly staleLists: ObjectList<KubernetesObject>[] = [];
  /** Whether watches may begin with all there is; else that is refused, as by an older server. */
  offersInitialEvents = false;
  /** Streams stay open and say nothing. */
  silent = false;
  /** Every watch ends at once. */
  closing = false;

  get openWatches(): number {
    return this.watches.filter(({ options }) => !options.signal.aborted).length;
  }

  override async list<T extends KubernetesObject>(
    type: ResourceType,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    this.lists.push(options);
    const error = this.listErrors.shift();
    if (error !== undefined) throw error;
    const stale = this.staleLists.shift();
    return stale === undefined ? super.list<T>(type, options) : (stale as ObjectList<T>);
  }

  override async *watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent> {
    if (options.initialEvents === true && !this.offersInitialEvents)
      throw new ApiError(422, 'Invalid', 'sendInitialEvents is forbidden for watch');
    const error = this.watchErrors.shift();
    const inner = new AbortController();
    let wake = (): void => undefined;
    const injected: WatchEvent[] = [];
    let failure: Error | undefined;
    const end = (reason?: Error): void => {
      failure = reason;
      inner.abort();
      wake();
    };
    this.watches.push({ type, options, end, send: (event) => (injected.push(event), wake()) });
    if (error !== undefined) throw error;
    if (this.closing) return;
    options.signal.addEventListener('abort', () => end(), { once: true });
    const events = super.watch(type, { ...options, signal: inner.signal })[Symbol.asyncIterator]();
    let next = events.next();
    while (!inner.signal.aborted) {
      while (injected.length > 0) yield injected.shift() as WatchEvent;
      const woken = new Promise<undefined>((resolve) => (wake = () => resolve(undefined)));
      const result = await Promise.race([next, woken]);
      if (result === undefined) continue;
      if (result.done === true) break;
      next = events.next();
      if (!this.silent) yield result.value;
    }
    if (failure !== undefined) throw failure;
  }
}
