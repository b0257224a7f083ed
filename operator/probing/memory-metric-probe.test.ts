import { memoryMetricProbe } from './memory-metric-probe.ts';
import { describeMetricProbe } from './testing/metric-probe-contract.ts';

describeMetricProbe('the metric probe of tests', () => {
  let time = 1_000_000;
  const probe = memoryMetricProbe(() => time);
  return {
    probe,
    says: (id, reading) => probe.play(id, reading),
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
  };
});
