import { expect, test } from '@jest/globals';
import { noTraffic } from '../traffic/traffic.ts';
import { memoryTrafficMeter } from './memory-traffic-meter.ts';
import { describeTrafficMeter } from './testing/traffic-meter-contract.ts';

describeTrafficMeter('the meter in memory', async () => {
  const meter = memoryTrafficMeter();
  return {
    meter,
    pod: { uid: 'a', name: 'iris-1', ip: '10.0.0.1', port: 8080 },
    answered: (requests, failures) => {
      meter.play('candidate', { traffic: { ...noTraffic, requests, failures } });
    },
    fallsSilent: () => {
      meter.play('candidate', { silent: ['pod iris-1: no answer within 2 s'] });
    },
    close: async () => undefined,
  };
});

test('a script can depend on where the window begins', async () => {
  const meter = memoryTrafficMeter();
  meter.play('stable', (since) => ({ from: since }));
  await meter.measure('stable', [], new AbortController().signal);
  const since = new Date('2026-01-01T00:00:30Z');
  expect(meter.window('stable', since).from).toEqual(since);
  expect(meter.measurements).toEqual([{ group: 'stable', pods: [] }]);
});
