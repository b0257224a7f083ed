import type { Condition, Reason } from '../../crds/schema/conditions.ts';
import type { Cluster } from './cluster.ts';
import type { KubernetesObject, ObjectKey, ResourceType } from './resource-type.ts';

/** An object of one of our kinds as the API server serves it. */
export type OwnObject = KubernetesObject & {
  readonly spec: unknown;
  readonly status?: unknown;
};

/** A condition as a reconciler states it; the runtime adds observedGeneration and lastTransitionTime. */
export type StatedCondition = Pick<Condition, 'type' | 'status' | 'message'> & {
  readonly reason: Reason;
};

/**
 * What a pass found out. The runtime writes it as status, once, and only where it differs:
 * `observedGeneration`, kept transition times, and kstatus' `Reconciling` and `Stalled`, which
 * follow from `progress`. An Event is recorded when Ready changes its status or reason.
 */
export type Outcome = {
  /** Everything of `.status` but conditions and observedGeneration. */
  readonly status: Readonly<Record<string, unknown>>;
  /** Holds `Ready`; the other conditions of the kind too. What is left out is removed. */
  readonly conditions: readonly StatedCondition[];
  /**
   * settled: nothing more to do until something changes; working: on its way (Reconciling=True);
   * stalled: only a user's change helps (Stalled=True, with Ready's reason and message).
   */
  readonly progress: 'settled' | 'working' | 'stalled';
  /** Look again after this time, in ms, although nothing changed. */
  readonly requeueAfterMs?: number;
};

/** Whether the outside state behind a finalizer is gone. */
export type Finalized =
  | { readonly done: true }
  | { readonly done: false; readonly message: string; readonly requeueAfterMs: number };

/** Long work that was started in some pass and is observed in this one. */
export type BackgroundState<T> =
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly value: T }
  | { readonly state: 'failed'; readonly error: Error };

export type PassLogger = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** What one pass over one object may use. */
export type Pass = {
  readonly now: Date;
  /** Aborts when the operator stops or is no longer leader. */
  readonly signal: AbortSignal;
  readonly log: PassLogger;
  /** From the informer's cache; undefined when it is not there. Only declared types (own kind, `watches`). */
  cached<T extends KubernetesObject>(type: ResourceType, key: ObjectKey): T | undefined;
  /** From the cache: all of a type in the namespace of the object under reconciliation. */
  cachedList<T extends KubernetesObject>(type: ResourceType): readonly T[];
  /** From the cache: those that have the object under reconciliation as controller. */
  owned<T extends KubernetesObject>(type: ResourceType): readonly T[];
  /** From the cache: all of a type in all namespaces that are watched. */
  cachedEverywhere<T extends KubernetesObject>(type: ResourceType): readonly T[];
  /** Whether the API server has the resource; only declared types. False where its CRD is not installed. */
  serves(type: ResourceType): boolean;
  /** Live reads, where a cache is not fresh enough. */
  readonly live: Pick<Cluster, 'get' | 'list'>;
  /**
   * Server-side apply with the controller's field manager. Adds the owner reference (unless
   * `owned: false`) and the managed-by label; does nothing when the cached child already is so.
   * Throws NameTaken (TerminalError) when the name belongs to an object that is not ours.
   */
  apply<T extends KubernetesObject>(
    type: ResourceType,
    child: KubernetesObject,
    options?: ChildOptions,
  ): Promise<T>;
  /** Create, or return what is there when it has the same owner; for children that never change (Job, ModelVersion). */
  ensure<T extends KubernetesObject>(
    type: ResourceType,
    child: KubernetesObject,
    options?: ChildOptions,
  ): Promise<T>;
  /** Only objects of ours; one that is already gone is fine. */
  delete(type: ResourceType, object: KubernetesObject): Promise<void>;
  /** An Event on the object under reconciliation; the same one is not repeated within a pass's lifetime. */
  event(type: 'Normal' | 'Warning', reason: Reason, message: string): void;
  /**
   * Starts `work` once per `id` for this object, outside the pass, and tells how it stands; the
   * object is reconciled again when it ends. Another id abandons the earlier work.
   */
  background<T>(id: string, work: (signal: AbortSignal) => Promise<T>): BackgroundState<T>;
};

export type ChildOptions = {
  /** false: no owner reference, so the child outlives the object (a ModelVersion of an Experiment). */
  readonly owned?: boolean;
  /**
   * true: into the namespace it names, not that of the object, which can then not be its owner: a
   * finalizer has to take it away. Its name must be one that nobody else can have chosen.
   */
  readonly elsewhere?: boolean;
};

/** An object whose changes wake others up. */
export type Watch = {
  readonly type: ResourceType;
  readonly labelSelector?: string;
  /** The keys of our kind to reconcile; `all` = keys of every cached object of our kind in its namespace. */
  keysFor(object: KubernetesObject, lookup: WatchLookup): readonly ObjectKey[];
};

export type WatchLookup = {
  /** Cached objects of the reconciler's own kind in a namespace. */
  own<T extends OwnObject>(namespace: string): readonly T[];
};

/** One RBAC rule, as in a ClusterRole; the chart's roles are generated from these. */
export type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

/**
 * One kind's controller: level-triggered, one pass at a time per object. A pass observes, decides
 * (pure) and acts; it may throw: the key is retried with backoff, and `TerminalError` waits for a
 * new spec instead.
 */
export type Reconciler<T extends OwnObject = OwnObject> = {
  readonly type: ResourceType;
  /** One per controller, `mlops-<kind>`. */
  readonly fieldManager: string;
  /** Types of children: a change of one wakes its controller owner. */
  readonly owns: readonly ResourceType[];
  /**
   * Those of `owns` whose spec and status no pass reads: only their metadata are cached, and `apply`
   * and `owned` may return no more than that. Changes by others are noticed by who wrote last.
   */
  readonly metadataOnly?: readonly ResourceType[];
  readonly watches: readonly Watch[];
  /** What `apply`, `ensure`, `delete` and live reads need beyond get/list/watch of the declared types. */
  readonly permissions: readonly PolicyRule[];
  /** `mlops.pynomaly.io/<purpose>`, put on before the first pass when there is outside state. */
  readonly finalizer?: string;
  /** Whether this object needs the finalizer now; it is removed when not. Absent means always. */
  needsFinalizer?(object: T): boolean;
  reconcile(object: T, pass: Pass): Promise<Outcome>;
  /** Cleans up outside state; called until done, or until the deadline lets the object go. */
  finalize?(object: T, pass: Pass): Promise<Finalized>;
};

/**
 * Only a user helps: no retry, Ready=False and Stalled=True with this reason and message. When the
 * help may come without any change that wakes the object, `recheckAfterMs` looks again.
 */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly reason: Reason;
  readonly recheckAfterMs: number | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: { readonly cause?: unknown; readonly recheckAfterMs?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.recheckAfterMs = options.recheckAfterMs;
  }
}
