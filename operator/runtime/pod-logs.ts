import type { ObjectKey } from './resource-type.ts';

export type LogOptions = {
  /** undefined: the only container, or an error where there are several. */
  readonly container?: string;
  /** Lines from this second on (RFC 3339); the API server knows no finer time. */
  readonly since?: string;
  /** Bytes from the beginning of what is asked for; the last line may be cut. */
  readonly limitBytes: number;
  /** Only so many lines, the last ones. */
  readonly tailLines?: number;
};

/** Reads logs of pods, whose lines begin with their timestamps. */
export type PodLogs = {
  /** undefined: there is no such pod, or its container has not started. */
  readLog(pod: ObjectKey, options: LogOptions): Promise<string | undefined>;
};
