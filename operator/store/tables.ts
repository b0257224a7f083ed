import type { ColumnType, Generated } from 'kysely';

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

export type RunsTable = {
  run_id: string;
  experiment_uid: string;
  namespace: string;
  experiment_name: string;
  trial_number: number | null;
  name: string;
  user_id: string;
  status: string;
  start_time: ColumnType<string | null, number | null, number | null>;
  end_time: ColumnType<string | null, number | null, number | null>;
  lifecycle_stage: Generated<string>;
};

export type RunTextsTable = { run_id: string; key: string; value: string };

export type RunMetricsTable = {
  run_id: string;
  key: string;
  step: BigInteger;
  timestamp: BigInteger;
  value: number;
};

/** All tables, as queries see them. */
export type Tables = {
  resources: ResourcesTable;
  audit: AuditTable;
  runs: RunsTable;
  run_params: RunTextsTable;
  run_tags: RunTextsTable;
  run_metrics: RunMetricsTable;
  run_latest_metrics: RunMetricsTable;
};
