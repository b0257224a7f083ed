import { timestamp } from '../../../crds/schema/conditions.ts';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { Outcome } from '../../runtime/reconciler.ts';
import { condition, ready, settled, stalled, working } from '../outcome.ts';
import type { FinalTraining } from './final-training.ts';
import { inWords, requeue, statusOf, type ShownSearch } from './search-outcome.ts';

/** Its log is read that often; Job and pods tell of themselves. */
const LOOK_AGAIN_MS = 30_000;

/** How an Experiment stands whose search is over and whose final training has not finished well. */
export const finalOutcome = (
  experiment: Experiment,
  view: ShownSearch,
  final: Exclude<FinalTraining, { state: 'finished' }>,
  now: Date,
): Outcome => {
  const words = inWords(experiment, view);
  const status = statusOf(experiment, view, now);
  const again = { status, requeueAfterMs: LOOK_AGAIN_MS };
  switch (final.state) {
    case 'suspended': {
      const message = `spec.suspend is true: the final training does not start until it is false. ${words}`;
      return settled(ready('Unknown', 'Suspended', message), { status });
    }
    case 'running': {
      const message = `The final training on the best parameters is under way: ${final.message} ${words}`;
      return working(ready('Unknown', 'FinalTrainingRunning', message), again);
    }
    case 'refused':
      return stalled(ready('False', final.reason, `${final.message} ${words}`), again);
    case 'failed': {
      const message = failureOf(experiment, view, final.message);
      return stalled(ready('False', 'FinalTrainingFailed', message), {
        status: { ...status, completionTime: timestamp(now) },
        conditions: [condition('Failed', 'True', 'FinalTrainingFailed', message)],
        ...requeue(view),
      });
    }
  }
};

/** Nothing is registered in its place: whoever asked for a final training wants no other model. */
const failureOf = ({ spec }: Experiment, { trial }: ShownSearch, why: string): string => {
  const path = spec.register?.artifactPath ?? '';
  const model = spec.register?.modelRef.name ?? '';
  return `The final training on the best parameters failed, so nothing was registered. ${why} What the search found stands in status.currentOptimalTrial: create another Experiment, or register the model of the best trial with mlflow.register_model("runs:/${trial?.runId ?? ''}/${path}", "${model}").`;
};
