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
  readonly signal?: AbortSignal;
};

export type ApplyOptions = {
  readonly fieldManager: string;
  readonly subresource?: 'status';
  /** Validate and admit, but store nothing. */
  readonly dryRun?: boolean;
};

export type DeleteOptions = {
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
  /** Server-side apply with force: the object must hold every field this manager owns. */
  apply<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: ApplyOptions,
  ): Promise<T>;
  /** Fails with 409 AlreadyExists. Also used for reviews (TokenReview, SubjectAccessReview). */
  create<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: { readonly fieldManager: string },
  ): Promise<T>;
  /** A `test` that does not hold fails with 409 Conflict. */
  patch<T extends KubernetesObject>(
    type: ResourceType,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    options: { readonly fieldManager: string },
  ): Promise<T>;
  delete(type: ResourceType, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  /** Raw watch lines, parsed; ends when the server closes, throws when it breaks. */
  watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent>;
};

export type WatchOptions = {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly resourceVersion: string;
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
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof ApiError && error.reason === 'AlreadyExists';
