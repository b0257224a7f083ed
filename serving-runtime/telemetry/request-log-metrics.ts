import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';

/** `memory_full`, `disk_full`: no room; `too_large`: one record; `refused`: by the endpoint; `disk_error`: written or read in vain. */
export type DropReason = 'memory_full' | 'disk_full' | 'too_large' | 'refused' | 'disk_error';

/** All records taken are shipped, dropped, or still waiting. */
export type RequestLogMetrics = {
  readonly taken: () => void;
  readonly shipped: (records: number) => void;
  readonly dropped: (reason: DropReason, records: number) => void;
  readonly deliveryFailed: () => void;
  readonly onDisk: (bytes: number) => void;
};

export function createRequestLogMetrics(registry: Registry): RequestLogMetrics {
  const shared = { registers: [registry] };
  const taken = new Counter({
    ...shared,
    name: 'mlops_request_log_records_total',
    help: 'Records taken for the request log; each is shipped, dropped or waits.',
  });
  const shipped = new Counter({
    ...shared,
    name: 'mlops_request_log_shipped_total',
    help: 'Records the ingest endpoint has taken, those of an earlier process included.',
  });
  const dropped = new Counter({
    ...shared,
    name: 'mlops_request_log_dropped_total',
    help: 'Records lost, by reason: memory_full, disk_full, too_large, refused, disk_error.',
    labelNames: ['reason'],
  });
  const failures = new Counter({
    ...shared,
    name: 'mlops_request_log_delivery_failures_total',
    help: 'Attempts at handing in a batch that have to be repeated.',
  });
  const onDisk = new Gauge({
    ...shared,
    name: 'mlops_request_log_disk_bytes',
    help: 'Size of the batches that wait on disk.',
  });
  for (const reason of ['memory_full', 'disk_full', 'too_large', 'refused', 'disk_error']) {
    dropped.inc({ reason }, 0);
  }
  return {
    taken: () => {
      taken.inc();
    },
    shipped: (records) => {
      shipped.inc(records);
    },
    dropped: (reason, records) => {
      dropped.inc({ reason }, records);
    },
    deliveryFailed: () => {
      failures.inc();
    },
    onDisk: (bytes) => {
      onDisk.set(bytes);
    },
  };
}
