import type { ColumnType } from 'kysely';

/** Written as JSON text, read as the value. */
type Json<T> = ColumnType<T, string, string>;
/** `bigint`, which pg reads as text. */
type BigInteger = ColumnType<string, string | number, string | number>;
/** `timestamptz`. */
type Instant = ColumnType<Date, string, string>;

type StringMap = Readonly<Record<string, string>>;
type AnyMap = Readonly<Record<string, unknown>>;

export type ResourcesTable = {
  uid: string;
  kind: string;
  namespace: string;
  name: string;
  generation: BigInteger;
  resource_version: string;
  labels: Json<StringMap>;
  annotations: Json<StringMap>;
  spec: Json<AnyMap>;
  status: Json<AnyMap>;
  writers: Json<unknown>;
  ready: string;
  reason: string;
  message: string;
  search_text: string;
  search: ColumnType<unknown, never, never>;
  content_hash: string;
  status_hash: string;
  created_at: Instant;
  updated_at: Instant;
  deleted_at: ColumnType<Date | null, string | null, string | null>;
};

export type AuditTable = {
  id: ColumnType<string, never, never>;
  kind: string;
  uid: string;
  namespace: string;
  name: string;
  operation: string;
  gap: boolean;
  requested_by: string | null;
  field_manager: string | null;
  before_hash: string | null;
  after_hash: string | null;
  generation: BigInteger;
  resource_version: string;
  observed_at: Instant;
};

/** The tables of this room; kinds bring the types of theirs. */
export type Tables = {
  resources: ResourcesTable;
  audit: AuditTable;
};
