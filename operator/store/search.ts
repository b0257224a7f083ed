/** Whether the Ready condition holds; absent conditions read as Unknown. */
export type Readiness = 'True' | 'False' | 'Unknown';

/** The last state seen of one object of any kind. Times are RFC 3339 in UTC. */
export type ResourceRow = {
  readonly uid: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: Readonly<Record<string, unknown>>;
  readonly ready: Readiness;
  readonly reason: string;
  readonly message: string;
  readonly createdAt: string;
  /** When the mirror last saw a change. */
  readonly updatedAt: string;
  /** Absent while the object exists. */
  readonly deletedAt?: string;
};

export type Page<T> = {
  readonly items: readonly T[];
  /** Opaque; hand it back with the same query for the next page. Absent on the last page. */
  readonly nextCursor?: string;
};

/** Which namespaces the caller may read; the API decides, the search obeys. */
export type NamespaceScope = readonly string[] | 'all';

export type SortField = 'name' | 'createdAt' | 'updatedAt';

export type ResourceQuery = {
  readonly namespaces: NamespaceScope;
  readonly kinds?: readonly string[];
  readonly namePrefix?: string;
  /** Equality on every label named. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly ready?: Readiness;
  readonly reason?: string;
  /** `spec.modelRef.name` → `digits`: equality as text; paths start at spec or status. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Full text over names, labels, description, owner, tags and condition messages. */
  readonly q?: string;
  /** Also what has been deleted from the cluster; default false. */
  readonly includeDeleted?: boolean;
  /** Default: by name, ascending. */
  readonly sort?: { readonly by: SortField; readonly direction: 'asc' | 'desc' };
  /** 1 to 500, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
};

export type AuditOperation = 'created' | 'updated' | 'status' | 'deleted';

/** One change seen. `updated` is a change of spec, labels or annotations. */
export type AuditRow = {
  readonly id: string;
  readonly kind: string;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly operation: AuditOperation;
  /** True when this row sums up changes that nobody watched one by one. */
  readonly gap: boolean;
  /** The user the API wrote for; absent when the change came through another door. */
  readonly requestedBy?: string;
  /** The door: field manager of the change (kubectl, mlops-api, …); absent when not certain. */
  readonly fieldManager?: string;
  /** SHA-256 hex of the canonical JSON before and after; absent before creation, after deletion. */
  readonly beforeHash?: string;
  readonly afterHash?: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly observedAt: string;
};

/** Newest first. Names exactly one object by kind, namespace and name; all its lives by default. */
export type HistoryQuery = {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Only this life of the name. */
  readonly uid?: string;
  /** 1 to 500, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
};

/**
 * Reads of the mirror. Adapters: `resource-search.ts` (PostgreSQL) and `memory-resource-search.ts`.
 * Throws `InvalidQuery` for what the caller can mend and `DatabaseUnavailable` otherwise.
 */
export type ResourceSearch = {
  search(query: ResourceQuery): Promise<Page<ResourceRow>>;
  /** The living object of that name. */
  get(kind: string, namespace: string, name: string): Promise<ResourceRow | undefined>;
  history(query: HistoryQuery): Promise<Page<AuditRow>>;
};

/** The query itself is wrong; `field` says which part. */
export class InvalidQuery extends Error {
  override readonly name = 'InvalidQuery';
  readonly code = 'InvalidQuery';
  readonly field: string;
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}
