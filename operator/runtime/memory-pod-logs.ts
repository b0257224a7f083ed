import type { LogOptions, PodLogs } from './pod-logs.ts';
import type { ObjectKey } from './resource-type.ts';

/** Logs in memory, for tests: whole lines with their timestamps, by pod. */
export class MemoryPodLogs implements PodLogs {
  readonly #lines = new Map<string, string[]>();
  /** What was asked for. */
  readonly reads: LogOptions[] = [];

  write(pod: string, ...lines: readonly string[]): void {
    this.#lines.set(pod, [...(this.#lines.get(pod) ?? []), ...lines]);
  }

  async readLog({ name }: ObjectKey, options: LogOptions): Promise<string | undefined> {
    this.reads.push(options);
    const { since, limitBytes, tailLines } = options;
    const lines = this.#lines.get(name)?.filter((line) => since === undefined || line >= since);
    if (lines === undefined) return undefined;
    return lines
      .slice(tailLines === undefined ? 0 : -tailLines)
      .map((line) => `${line}\n`)
      .join('')
      .slice(0, limitBytes);
  }
}
