import type { Pairing } from './shadow.ts';

export type ShadowQuery = {
  readonly namespace: string;
  readonly deployment: string;
  /** Versions as they are logged. */
  readonly stable: string;
  readonly candidate: string;
  /** RFC 3339: from when on requests count. */
  readonly since: string;
};

/** Requests looked at, the latest first. */
export const MOST_REQUESTS = 100_000;
/** Pairs whose answers are compared; records above that size are not. */
export const MOST_COMPARED = 500;
export const MOST_RECORD_BYTES = 65_536;

/** Pairs of what two versions answered to the same requests. */
export type ShadowStore = {
  /** Throws `DatabaseUnavailable`. */
  pairing(query: ShadowQuery): Promise<Pairing>;
};
