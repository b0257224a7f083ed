import { addTallies, compareAnswer } from './compare-answer.ts';
import { bucketOf, noErrors } from './labels.ts';
import type { ErrorTally, LabelStore, NewLabel } from './labels.ts';
import type { DeploymentKey, NewPrediction } from './predictions.ts';

/** The log of requests in the order it was written. */
type RequestLog = { requests(deployment: DeploymentKey): readonly NewPrediction[] };

/** Labels in memory, for tests: keeps all that came, and compares it anew whenever it is asked. */
export const memoryLabelStore = (log: RequestLog): LabelStore => {
  const stores = new Map<string, Map<string, NewLabel>>();
  const labelsOf = ({ namespace, name }: DeploymentKey): Map<string, NewLabel> => {
    const key = `${namespace}/${name}`;
    const found = stores.get(key) ?? new Map<string, NewLabel>();
    stores.set(key, found);
    return found;
  };
  const answersTo = (deployment: DeploymentKey, { predictionId }: NewLabel) => {
    const named = log.requests(deployment).filter(({ id }) => id === predictionId);
    return [...new Map([...named].reverse().map((each) => [each.version, each])).values()];
  };

  return {
    append: async (deployment, labels) => {
      const known = labelsOf(deployment);
      const fresh = labels.filter((label) => {
        if (known.has(keyOf(label))) return false;
        known.set(keyOf(label), label);
        return true;
      });
      const conflicting = labels.flatMap((label, i) =>
        String(known.get(keyOf(label))?.truths) === String(label.truths) ? [] : [i],
      );
      const compared = fresh.flatMap((label) =>
        answersTo(deployment, label)
          .filter(({ status }) => status < 400)
          .map(({ record }) => compareAnswer(record, label)),
      );
      return {
        taken: fresh.length,
        duplicates: labels.length - fresh.length - conflicting.length,
        conflicting,
        waiting: labels.filter((label) => answersTo(deployment, label).length === 0).length,
        incomparable: compared.reduce((sum, { tally }) => sum + tally.incomparable, 0),
      };
    },

    errors: async (deployment, { versions, since, output }) => {
      const byVersion = new Map<string, ErrorTally>();
      let waiting = 0;
      for (const label of labelsOf(deployment).values()) {
        const answers = answersTo(deployment, label);
        if (answers.length === 0) waiting++;
        for (const { version, at, status, record } of answers) {
          if (!versions.includes(version) || status >= 400) continue;
          if (Date.parse(bucketOf(at)) < Date.parse(bucketOf(since))) continue;
          const compared = compareAnswer(record, label);
          if (output !== undefined && compared.output !== output) continue;
          const before = byVersion.get(version) ?? noErrors;
          byVersion.set(version, addTallies(before, compared.tally));
        }
      }
      return { byVersion, waiting };
    },
  };
};

const keyOf = ({ predictionId, output = '' }: NewLabel): string =>
  JSON.stringify([predictionId, output]);
