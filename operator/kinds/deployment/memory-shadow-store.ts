import type { memoryPredictionStore } from '../../store/memory-predictions.ts';
import type { NewPrediction } from '../../store/predictions.ts';
import type { Side } from './shadow.ts';
import { MOST_COMPARED, MOST_RECORD_BYTES, type ShadowStore } from './shadow-store.ts';

/** Pairs from predictions in memory, as the tables would give them. */
export const memoryShadowStore = (
  predictions: ReturnType<typeof memoryPredictionStore>,
): ShadowStore => ({
  pairing: async ({ namespace, deployment, stable, candidate, since }) => {
    const logged = predictions
      .requests({ namespace, name: deployment })
      .filter(({ at }) => Date.parse(at) >= Date.parse(since));
    const groups = [...new Set(logged.map(({ id }) => id))].map((id) => {
      const of = (version: string) =>
        logged.filter((each) => each.id === id && each.version === version);
      return { stable: of(stable), candidate: of(candidate) };
    });
    const counted = (test: (s: number, c: number) => boolean): number =>
      groups.filter((each) => test(each.stable.length, each.candidate.length)).length;
    const paired = groups.filter((each) => each.stable.length === 1 && each.candidate.length === 1);
    const [stables, candidates] = [
      paired.flatMap((each) => each.stable),
      paired.flatMap((each) => each.candidate),
    ];
    const records = stables.map(({ record }, i) => ({
      stable: record,
      candidate: candidates[i]?.record ?? '',
    }));
    return {
      pairs: paired.length,
      stableOnly: counted((s, c) => s === 1 && c === 0),
      candidateOnly: counted((s, c) => s === 0 && c === 1),
      ambiguous: counted((s, c) => s > 1 || c > 1),
      truncated: false,
      stable: sideOf(stable, stables),
      candidate: sideOf(candidate, candidates),
      latest: records
        .slice(-MOST_COMPARED)
        .filter((pair) =>
          [pair.stable, pair.candidate].every(
            (text) => Buffer.byteLength(text) <= MOST_RECORD_BYTES,
          ),
        )
        .reverse(),
    };
  },
});

const sideOf = (version: string, answers: readonly NewPrediction[]): Side => {
  const errors = answers.filter(({ status }) => status >= 400).length;
  if (answers.length === 0) return { version, errors };
  const sorted = answers.map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b);
  const meanMs = sorted.reduce((sum, each) => sum + each, 0) / sorted.length;
  return { version, errors, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), meanMs };
};

/** Between its neighbours, as PostgreSQL's percentile_cont. */
const quantile = (sorted: readonly number[], share: number): number => {
  const at = share * (sorted.length - 1);
  const [below = 0, above = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
};
