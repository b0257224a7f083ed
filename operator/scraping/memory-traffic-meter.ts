import { noTraffic, type Window } from '../traffic/traffic.ts';
import type { PodAddress } from './pod-metrics.ts';
import type { TrafficMeter } from './traffic-meter.ts';

export type Measurement = { readonly group: string; readonly pods: readonly PodAddress[] };

/** A meter whose windows are written down, for tests. */
export type MemoryTrafficMeter = TrafficMeter & {
  /** What the next measurements of the group find; left out: no traffic, nobody silent. */
  play(group: string, window: Partial<Window> | ((since: Date) => Partial<Window>)): void;
  readonly measurements: readonly Measurement[];
  readonly forgotten: readonly string[];
};

type Script = (since: Date) => Partial<Window>;

const unmeasured: Window = { traffic: noTraffic, from: undefined, to: undefined, silent: [] };

export const memoryTrafficMeter = (): MemoryTrafficMeter => {
  const scripts = new Map<string, Script>();
  const measured = new Map<string, Script>();
  const measurements: Measurement[] = [];
  const forgotten: string[] = [];
  return {
    measurements,
    forgotten,
    play: (group, window) => {
      scripts.set(group, typeof window === 'function' ? window : () => window);
    },
    measure: async (group, pods, signal) => {
      signal.throwIfAborted();
      measurements.push({ group, pods });
      measured.set(group, scripts.get(group) ?? (() => ({})));
    },
    // As of the real one, what was not measured is not seen.
    window: (group, since) => ({ ...unmeasured, ...measured.get(group)?.(since) }),
    forget: (group) => {
      measured.delete(group);
      forgotten.push(group);
    },
  };
};
