/** How long a lead lasts and how often it is renewed, in milliseconds. */
export type LeaseTimes = {
  /** Others take over when they have seen the Lease unchanged for this long. */
  readonly leaseMs: number;
  /** A leader that could not renew for this long does not lead any more. */
  readonly renewDeadlineMs: number;
  /** Between two looks at the Lease. */
  readonly retryMs: number;
};

/** client-go's defaults: a leader renews every 2 s and gives up after 10, others take over after 15. */
export const DEFAULT_LEASE_TIMES: LeaseTimes = {
  leaseMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2_000,
};

/** The times of an election contradict each other. */
export class LeaseTimesError extends Error {
  override readonly name = 'LeaseTimesError';
  readonly code = 'InvalidLeaseTimes';
}

/** What is wrong with these times, as a sentence; undefined when nothing is. */
export const faultOf = ({ leaseMs, renewDeadlineMs, retryMs }: LeaseTimes): string | undefined =>
  leaseMs > renewDeadlineMs && renewDeadlineMs > retryMs && retryMs > 0
    ? undefined
    : `A lease of ${leaseMs} ms, a renew deadline of ${renewDeadlineMs} ms and a retry period of ` +
      `${retryMs} ms cannot keep two leaders apart: lease > renew deadline > retry period > 0 must hold.`;

/** @throws LeaseTimesError */
export const checked = (times: LeaseTimes): LeaseTimes => {
  const fault = faultOf(times);
  if (fault !== undefined) throw new LeaseTimesError(fault);
  return times;
};

/**
 * How long after its last renewal a leader's writes may be under way. Half of what lies between the
 * end of its lead and the beginning of another's is left to the server, for a call that it received
 * just before this process gave it up.
 */
export const writesEndMs = ({ leaseMs, renewDeadlineMs }: LeaseTimes): number =>
  (renewDeadlineMs + leaseMs) / 2;
