import type {
  DeploymentKey,
  NewPrediction,
  PredictionBatch,
  PredictionStore,
} from './predictions.ts';

/** `requests`: all there are, in the order they were written. */
type MemoryPredictionStore = PredictionStore & {
  requests(deployment: DeploymentKey): readonly NewPrediction[];
};

/** Predictions in memory, as the tables keep them. */
export const memoryPredictionStore = (): MemoryPredictionStore => {
  const batches = new Map<string, PredictionBatch[]>();
  const of = ({ namespace, name }: DeploymentKey): PredictionBatch[] => {
    const key = `${namespace}/${name}`;
    const found = batches.get(key) ?? [];
    batches.set(key, found);
    return found;
  };
  return {
    requests: (deployment) => of(deployment).flatMap(({ predictions }) => predictions),
    append: async (deployment, batch) => {
      const known = of(deployment);
      if (known.some(({ batchId }) => batchId === batch.batchId)) return false;
      known.push(batch);
      return true;
    },
    latest: async (deployment, limit) =>
      of(deployment)
        .flatMap(({ predictions }) => predictions)
        .reverse()
        .sort((one, other) => Date.parse(other.at) - Date.parse(one.at))
        .slice(0, limit)
        .map(({ record }) => record),
    sketches: async (deployment, { since, until }) =>
      of(deployment)
        .flatMap(({ sketches }) => sketches)
        .filter(
          ({ windowStart }) =>
            Date.parse(windowStart) >= Date.parse(since) &&
            Date.parse(windowStart) < Date.parse(until),
        )
        .sort((one, other) => Date.parse(one.windowStart) - Date.parse(other.windowStart)),
    sketchesAfter: async (deployment, { versions, role, since, after }) => {
      const all = of(deployment).flatMap(({ sketches }) => sketches);
      const sketches = all
        .slice(Number(after))
        .filter((each) => versions.includes(each.version) && each.role === role)
        .filter(({ windowStart }) => Date.parse(windowStart) >= Date.parse(since));
      return { sketches, last: String(all.length) };
    },
  };
};
