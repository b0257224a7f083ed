import type { Registry } from 'prom-client';

export type Sample = {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Of a histogram: its name with the part behind it. */
  readonly metricName?: string;
};

/** The values a metric has now. */
export async function samplesOf(registry: Registry, name: string): Promise<readonly Sample[]> {
  const metric = await registry.getSingleMetric(name)?.get();
  if (metric === undefined) throw new Error(`there is no metric ${name}`);
  return metric.values as readonly Sample[];
}
