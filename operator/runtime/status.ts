import type { Condition } from '../../crds/schema/conditions.ts';
import { timestamp } from '../../crds/schema/conditions.ts';
import type { OwnObject, Outcome, StatedCondition } from './reconciler.ts';

export type Status = {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly [field: string]: unknown;
};

/** metav1.Condition's limit; a longer message would make the API server refuse the whole status. */
const LONGEST_MESSAGE = 32_768;

/**
 * The status an outcome amounts to. Transition times are kept while a condition's status stays.
 * `Reconciling` and `Stalled` are set as kstatus reads them: present and True, or absent.
 */
export const statusOf = (object: OwnObject, outcome: Outcome, now: Date): Status => {
  const generation = object.metadata.generation ?? 0;
  const before = conditionsOf(object);
  const stated = [...outcome.conditions, ...progressConditions(outcome)];
  // A type stated twice would make the API server refuse the status; the runtime's word is last.
  const byType = new Map(stated.map((each) => [each.type, each]));
  const conditions = [...byType.values()].map((each) => {
    const same = before.find(({ type, status }) => type === each.type && status === each.status);
    return {
      type: each.type,
      status: each.status,
      observedGeneration: generation,
      lastTransitionTime: same?.lastTransitionTime ?? timestamp(now),
      reason: each.reason,
      message: each.message.slice(0, LONGEST_MESSAGE),
    };
  });
  return {
    ...outcome.status,
    observedGeneration: generation,
    conditions: inOrderOf(before, conditions),
  };
};

/** Known types where they stood, new ones behind: server-side apply keeps a list-map in that order. */
const inOrderOf = (
  before: readonly Condition[],
  next: readonly Condition[],
): readonly Condition[] => {
  const kept = before.flatMap(({ type }) => next.find((each) => each.type === type) ?? []);
  return [...kept, ...next.filter((each) => !kept.includes(each))];
};

export const conditionsOf = (object: OwnObject): readonly Condition[] =>
  (object.status as Partial<Status> | undefined)?.conditions ?? [];

const progressConditions = ({ progress, conditions }: Outcome): readonly StatedCondition[] => {
  if (progress === 'settled') return [];
  const ready = conditions.find(({ type }) => type === 'Ready');
  return [
    {
      type: progress === 'working' ? 'Reconciling' : 'Stalled',
      status: 'True',
      reason: ready?.reason ?? 'Reconciling',
      message: ready?.message ?? '',
    },
  ];
};
