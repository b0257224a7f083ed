import { pause, type Clock } from './clock.ts';
import type { Cluster, WatchEvent } from './cluster.ts';
import { LEASE } from './kubernetes-types.ts';
import type { Lease } from './lease.ts';

export type LeaseHintOptions = {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly namespace: string;
  readonly selector: { readonly fieldSelector: string } | { readonly labelSelector: string };
  /** The version to watch from; undefined: whatever the server has. */
  readonly version: () => string | undefined;
  readonly onEvent: (type: 'ADDED' | 'MODIFIED' | 'DELETED', lease: Lease) => void;
  /** Told of the first failure of a row of them. */
  readonly onError: (error: unknown) => void;
};

const STREAM_SECONDS = 300;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Tells of changes of Leases as they happen. Only a hint: it may be late, lose some or fall silent,
 * so whoever listens looks for itself from time to time.
 */
export const followLeases = async (
  options: LeaseHintOptions,
  signal: AbortSignal,
): Promise<void> => {
  const { clock, onError } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await follow(options, signal, () => (failures = 0));
    } catch (error) {
      if (signal.aborted) return;
      if (failures++ === 0) onError(error);
    }
    await pause(clock, Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS), signal);
  }
};

const follow = async (
  { cluster, namespace, selector, version, onEvent }: LeaseHintOptions,
  signal: AbortSignal,
  onGood: () => void,
): Promise<void> => {
  const stream = cluster.watch(LEASE, {
    namespace,
    ...selector,
    resourceVersion: version() ?? '0',
    timeoutSeconds: STREAM_SECONDS,
    signal,
  });
  for await (const event of stream) {
    if (isFailure(event))
      throw new Error(`The watch of Leases ended: ${event.object.message ?? 'no reason given'}`);
    onGood();
    if (event.type !== 'BOOKMARK') onEvent(event.type, event.object);
  }
};

const isFailure = (event: WatchEvent): event is Extract<WatchEvent, { type: 'ERROR' }> =>
  event.type === 'ERROR';
