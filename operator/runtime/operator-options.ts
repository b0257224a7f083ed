import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import type { ControllerMetrics } from './controller.ts';
import type { InformerMetrics } from './informer.ts';
import type { LeaseTimes } from './lease-times.ts';
import type { Change } from './object-cache.ts';
import type { PassLogger } from './reconciler.ts';
import type { KubernetesObject, ObjectKey } from './resource-type.ts';
import type { Spans } from './spans.ts';

export type RuntimeLogger = PassLogger & { child(fields: object): RuntimeLogger };

export type RuntimeMetrics = {
  readonly informers: InformerMetrics;
  controller(name: string): ControllerMetrics;
  leads(leads: boolean): void;
};

export type OperatorOptions = {
  readonly cluster: Cluster;
  readonly log: RuntimeLogger;
  readonly metrics: RuntimeMetrics;
  /** One per pass, with its calls inside; none when absent. */
  readonly spans?: Spans;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Watch one namespace only; all when undefined. */
  readonly namespace?: string | undefined;
  /** Watch these namespaces only; all when absent or empty. */
  readonly namespaces?: readonly string[] | undefined;
  /** Passes of one kind that may run at once, in each shard. */
  readonly workers: number;
  /** The same, by plural, where it differs. */
  readonly workersByKind?: Readonly<Record<string, number>>;
  readonly finalizerDeadlineMs: number;
  /** This replica's name, in Events and as holder of the Lease. */
  readonly identity: string;
  /** undefined: leads without an election (one replica, tests). */
  readonly lease?: ObjectKey | undefined;
  /** How long a lead lasts and how often it is renewed; as in client-go when absent. */
  readonly leaseTimes?: LeaseTimes | undefined;
  /** Shares of the namespaces, each with a Lease of its own, for several replicas; 1 when absent. */
  readonly shards?: number | undefined;
  /** How often each cache is compared with the server, in ms, should events get lost; 10 minutes when absent. */
  readonly verifyMs?: number | undefined;
};

/** Sees every change of a resource while this replica leads, and everything there is when it begins to. */
export type Observer = {
  changed(change: Change): void;
  listed(objects: readonly KubernetesObject[]): void;
};
