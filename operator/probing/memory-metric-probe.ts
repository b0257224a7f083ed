import type { Measurement, Reading } from './measurement.ts';
import type { MetricProbe, Probe } from './metric-probe.ts';

/** A probe whose answers are written down, for tests. */
export type MemoryMetricProbe = MetricProbe & {
  /** What the next questions of this id, or of any that begins with it and a space, find; left out, no data. */
  play(probe: string, reading: Reading): void;
  /** All that was asked. */
  readonly asked: readonly Probe[];
  readonly forgotten: readonly string[];
};

/** @param now the time measurements are of, in milliseconds since the epoch */
export const memoryMetricProbe = (now: () => number): MemoryMetricProbe => {
  const scripts = new Map<string, Reading>();
  const measured = new Map<string, Measurement[]>();
  const asked: Probe[] = [];
  const forgotten: string[] = [];
  return {
    asked,
    forgotten,
    play: (probe, reading) => {
      scripts.set(probe, reading);
    },
    measure: async ({ id: group }, probes, { wait, stop }) => {
      wait.throwIfAborted();
      stop.throwIfAborted();
      for (const probe of probes) {
        asked.push(probe);
        const reading = scripts.get(probe.id) ??
          scripts.get(probe.id.split(' ')[0] ?? '') ?? {
            is: 'no-data',
            words: 'nothing was played',
          };
        const key = `${group} ${probe.id}`;
        measured.set(key, [...(measured.get(key) ?? []), { at: now(), reading }]);
      }
    },
    measurements: (group, probe, since) =>
      (measured.get(`${group} ${probe}`) ?? []).filter(({ at }) => at >= since.getTime()),
    forget: (group) => {
      for (const key of measured.keys()) if (key.startsWith(`${group} `)) measured.delete(key);
      forgotten.push(group);
    },
  };
};
