import type { KubernetesObject, ObjectKey, ResourceType } from './resource-type.ts';

/** One page of a list, with the version the whole list was read at. */
export type ObjectList<T extends KubernetesObject> = {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continueToken?: string;
};

export type ListOptions = {
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** `field=value`; which fields a type selects by is its own affair, such as an Event's `involvedObject.uid`. */
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continueToken?: string;
  /** Absent: the latest state. '0': whatever the server's watch cache holds, which may be older; it ignores `limit`. */
  readonly resourceVersion?: string;
  /** Items come with apiVersion, kind and metadata alone. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
};

/** Of every write. */
export type WriteOptions = {
  readonly fieldManager: string;
  /** The write must be answered within this time, or is given up on both sides; a time of the adapter's own when absent. */
  readonly withinMs?: number | undefined;
};

export type ApplyOptions = WriteOptions & {
  readonly subresource?: 'status';
  /** Validate and admit, but store nothing. */
  readonly dryRun?: boolean;
  /** Take over fields that others own (the default); false: another's field of another value is a 409 Conflict. */
  readonly force?: boolean;
};

export type DeleteOptions = Pick<WriteOptions, 'withinMs'> & {
  readonly uid?: string;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
};

export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/**
 * The calls this project makes to a Kubernetes API server. Adapters: `kubernetes-cluster.ts` (real)
 * and `memory-cluster.ts` (in memory, for tests), held to one contract suite.
 *
 * Every call may throw `ApiError`; only `get` turns 404 into `undefined`, and `delete` treats an
 * object that is already gone as done.
 */
export type Cluster = {
  get<T extends KubernetesObject>(type: ResourceType, key: ObjectKey): Promise<T | undefined>;
  list<T extends KubernetesObject>(
    type: ResourceType,
    options?: ListOptions,
  ): Promise<ObjectList<T>>;
  /** Server-side apply: the object must hold every field this manager owns. */
  apply<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: ApplyOptions,
  ): Promise<T>;
  /** Fails with 409 AlreadyExists. Also used for reviews (TokenReview, SubjectAccessReview). */
  create<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: WriteOptions,
  ): Promise<T>;
  /** A `test` that does not hold fails with 409 Conflict. */
  patch<T extends KubernetesObject>(
    type: ResourceType,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    options: WriteOptions,
  ): Promise<T>;
  /**
   * @returns the object as the server showed it when it stays for the time being (finalizers, a grace
   *   period); undefined when it is gone
   */
  delete(
    type: ResourceType,
    key: ObjectKey,
    options?: DeleteOptions,
  ): Promise<KubernetesObject | undefined>;
  /** Raw watch lines, parsed; ends when the server closes, throws when it breaks. */
  watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent>;
};

export type WatchOptions = {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events after this version. With `initialEvents`, '' is the latest state. */
  readonly resourceVersion: string;
  /**
   * The stream begins with all objects there are, as ADDED events, up to a bookmark that
   * `endsInitialEvents` tells (WatchList, KEP-3157). A server that does not offer it answers 400 or
   * 422, or ignores it.
   */
  readonly initialEvents?: boolean;
  /** Objects come with apiVersion, kind and metadata alone. */
  readonly metadataOnly?: boolean;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
};

export type WatchEvent =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
      readonly object: KubernetesObject;
    }
  | {
      readonly type: 'ERROR';
      readonly object: {
        readonly code?: number;
        readonly reason?: string;
        readonly message?: string;
      };
    };

/** Whether a stream of `initialEvents` has shown all there was; what follows are changes. */
export const endsInitialEvents = (event: WatchEvent): boolean =>
  event.type === 'BOOKMARK' &&
  event.object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';

/** An answer of the API server that is not a success, with what a caller needs to decide. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  readonly reason: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: number,
    reason: string,
    message: string,
    options: { readonly retryAfterSeconds?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export const isNotFound = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 404;
export const isConflict = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 409 && error.reason !== 'AlreadyExists';
/** The reason of a refusal to create something in a namespace that is being deleted. */
export const NAMESPACE_TERMINATING = 'NamespaceTerminating';
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof ApiError && error.reason === NAMESPACE_TERMINATING;
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof ApiError && error.reason === 'AlreadyExists';
