import type { Metric } from './run-store.ts';

/** Order of points: step, then timestamp, then value; NaN comes before every number. */
export const compareMetrics = (a: Omit<Metric, 'key'>, b: Omit<Metric, 'key'>): number =>
  a.step - b.step || a.timestamp - b.timestamp || compareValues(a.value, b.value);

const compareValues = (a: number, b: number): number => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a === b ? 0 : a < b ? -1 : 1;
};

/** The latest point of each key, in order of the keys. */
export const latestOf = (metrics: readonly Metric[]): readonly Metric[] => {
  const latest = new Map<string, Metric>();
  for (const metric of metrics) {
    const known = latest.get(metric.key);
    if (!known || compareMetrics(metric, known) > 0) latest.set(metric.key, metric);
  }
  return [...latest.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
};
