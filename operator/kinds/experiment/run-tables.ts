import type { RunStatus } from './run-store.ts';

/** bigint columns come back as strings. */
type Bigint = string | number;

type KeyValue = { readonly run_id: string; readonly key: string; readonly value: string };

type MetricRow = {
  readonly run_id: string;
  readonly key: string;
  readonly step: Bigint;
  readonly timestamp: Bigint;
  readonly value: number;
};

/** The tables of migrations 0002, 0004 and 0009. */
export type RunTables = {
  readonly runs: {
    readonly run_id: string;
    readonly experiment_uid: string;
    readonly namespace: string;
    readonly experiment_name: string;
    readonly trial_number: number | null;
    readonly name: string;
    readonly user_id: string;
    readonly status: RunStatus;
    readonly start_time: Bigint | null;
    readonly end_time: Bigint | null;
    readonly lifecycle_stage: 'active' | 'deleted';
    readonly image: string | null;
  };
  readonly run_params: KeyValue;
  readonly run_tags: KeyValue;
  readonly run_metrics: MetricRow;
  readonly run_latest_metrics: MetricRow;
  readonly closed_experiments: { readonly experiment_uid: string };
};
