import { findCondition, type Condition } from '../../../crds/schema/conditions.ts';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { Outcome } from '../../runtime/reconciler.ts';
import { restated } from '../outcome.ts';
import { kept } from './decide.ts';

const INTERVAL_MS = 1_000;

/**
 * Holds back what is news of numbers only, so that the status of an Experiment is written once a
 * second at most: each write is one of etcd's, and wakes all that watch. What changes Ready's status
 * or reason, or ends the Experiment, is written at once. Memory only: a new process begins anew.
 */
export class StatusPace {
  readonly #written = new Map<string, number>();

  limit(experiment: Experiment, outcome: Outcome, now: Date): Outcome {
    const { uid } = experiment.metadata;
    const before = findCondition(experiment.status?.conditions, 'Ready');
    const last = this.#written.get(uid);
    const restMs = last === undefined ? 0 : last + INTERVAL_MS - now.getTime();
    if (before === undefined || restMs <= 0 || isNews(before, outcome)) {
      this.#note(uid, now.getTime());
      return outcome;
    }
    return {
      ...outcome,
      status: kept(experiment.status),
      conditions: [restated(before)],
      requeueAfterMs: Math.min(outcome.requeueAfterMs ?? restMs, restMs),
    };
  }

  #note(uid: string, at: number): void {
    for (const [other, time] of this.#written)
      if (time + INTERVAL_MS <= at) this.#written.delete(other);
    this.#written.set(uid, at);
  }
}

/** Another Ready, or a condition besides it: the end. */
const isNews = (before: Condition, { conditions }: Outcome): boolean => {
  const after = conditions.find(({ type }) => type === 'Ready');
  return conditions.length > 1 || before.status !== after?.status || before.reason !== after.reason;
};
