import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Reading } from '../measurement.ts';
import type { MetricProbe, Probe } from '../metric-probe.ts';

type ProbedHost = {
  readonly probe: MetricProbe;
  /** What questions of this id find from now on. */
  says(id: string, reading: Reading): void;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  advance(milliseconds: number): void;
};

export const aProbe = (id: string, more: Partial<Probe> = {}): Probe => ({
  id,
  request: { url: `http://kpi/${id}`, method: 'GET', headers: {}, timeoutMs: 5000 },
  read: ({ body }) => JSON.parse(body) as Reading,
  ...more,
});

export const group = { id: 'uid-of-digits', namespace: 'demo' };
export const signals = () => ({
  wait: new AbortController().signal,
  stop: new AbortController().signal,
});

/** What every metric probe does. */
export const describeMetricProbe = (name: string, make: () => ProbedHost): void => {
  describe(name, () => {
    let host: ProbedHost;
    beforeEach(() => {
      host = make();
    });
    const measured = (id: string, since = 0) =>
      host.probe.measurements(group.id, id, new Date(since));

    test('knows nothing of what was never asked', () => {
      expect(measured('rate')).toEqual([]);
    });

    test('keeps what it was told, with the times, the oldest first', async () => {
      host.says('rate', { is: 'value', value: 0.5 });
      const first = host.now();
      await host.probe.measure(group, [aProbe('rate')], signals());
      host.advance(10_000);
      host.says('rate', { is: 'no-data', words: 'nothing yet' });
      await host.probe.measure(group, [aProbe('rate')], signals());
      const second = { at: first + 10_000, reading: { is: 'no-data', words: 'nothing yet' } };
      expect(measured('rate')).toEqual([
        { at: first, reading: { is: 'value', value: 0.5 } },
        second,
      ]);
      expect(measured('rate', first + 1)).toEqual([second]);
    });

    test('forgets a group', async () => {
      host.says('rate', { is: 'value', value: 0.5 });
      await host.probe.measure(group, [aProbe('rate')], signals());
      host.probe.forget(group.id);
      expect(measured('rate')).toEqual([]);
    });

    test('asks nothing once it is stopped', async () => {
      const stop = AbortSignal.abort(new Error('stopped'));
      await expect(
        host.probe.measure(group, [aProbe('rate')], { ...signals(), stop }),
      ).rejects.toThrow('stopped');
      expect(measured('rate')).toEqual([]);
    });
  });
};
