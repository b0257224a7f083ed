import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PodAddress } from '../pod-metrics.ts';
import type { TrafficMeter } from '../traffic-meter.ts';

/** A meter with one pod, in the group `candidate`. */
export type MeteredPod = {
  readonly meter: TrafficMeter;
  readonly pod: PodAddress;
  /** From its first measurement on the pod has answered so many, of which so many failed. */
  answered(requests: number, failures: number): void;
  fallsSilent(): void;
  close(): Promise<void>;
};

const SINCE = new Date('2026-01-01T00:00:00Z');
const { signal } = new AbortController();

/** What every traffic meter does. */
export const describeTrafficMeter = (name: string, make: () => Promise<MeteredPod>): void => {
  describe(name, () => {
    let subject: MeteredPod;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(() => subject.close());

    const measure = (): Promise<void> => subject.meter.measure('candidate', [subject.pod], signal);
    const nothing = {
      traffic: { requests: 0, failures: 0, durations: { bounds: [], counts: [0] } },
      from: undefined,
      to: undefined,
      silent: [],
    };

    test('knows nothing of a group that was never measured', () => {
      subject.answered(7, 2);
      expect(subject.meter.window('candidate', SINCE)).toEqual(nothing);
    });

    test('tells what the pod answered', async () => {
      subject.answered(7, 2);
      await measure();
      const { traffic } = subject.meter.window('candidate', SINCE);
      expect(traffic).toMatchObject({ requests: 7, failures: 2 });
    });

    test('names a pod that does not answer', async () => {
      subject.fallsSilent();
      await measure();
      const { silent } = subject.meter.window('candidate', SINCE);
      expect(silent).toEqual([expect.stringMatching(/^pod iris-1: ./)]);
    });

    test('forgets a group', async () => {
      subject.answered(7, 2);
      await measure();
      subject.meter.forget('candidate');
      expect(subject.meter.window('candidate', SINCE)).toEqual(nothing);
    });

    test('takes nothing from a measurement that was called off', async () => {
      subject.answered(7, 2);
      const off = AbortSignal.abort(new Error('the pass has ended'));
      await expect(subject.meter.measure('candidate', [subject.pod], off)).rejects.toThrow(
        'the pass has ended',
      );
      expect(subject.meter.window('candidate', SINCE)).toEqual(nothing);
    });
  });
};
