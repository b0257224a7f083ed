import type { Run } from '../run-store.ts';

/** A finished run as a store gives it; `id` is repeated to 32 characters. */
export const comparedRun = (
  id: string,
  params: Readonly<Record<string, string>>,
  metrics: Readonly<Record<string, number>>,
  tags: Readonly<Record<string, string>> = {},
): Run => ({
  runId: id.repeat(32).slice(0, 32),
  experiment: { uid: 'u', namespace: 'demo', name: 'train' },
  name: id,
  userId: 'ada',
  status: 'FINISHED',
  lifecycleStage: 'active',
  params,
  tags,
  metrics: Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp: 1, step: 0 })),
});

/** One run a value, with seeds 0, 1, … as params. */
export const seeds = (model: string, values: readonly number[], metric = 'accuracy'): Run[] =>
  values.map((value, seed) =>
    comparedRun(`${model}${seed}`, { model, seed: String(seed) }, { [metric]: value }),
  );
