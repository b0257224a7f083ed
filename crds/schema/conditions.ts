import type { Reason } from './reasons.ts';

export { REASONS } from './reasons.ts';
export type { Reason } from './reasons.ts';

export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** A metav1.Condition; `lastTransitionTime` is RFC 3339 to the second, as Kubernetes writes it. */
export type Condition = {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly observedGeneration?: number | undefined;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
};

/** A condition as a reconciler states it: the time is found by `setCondition`. */
export type ConditionDraft = {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly observedGeneration?: number | undefined;
  readonly reason: Reason;
  readonly message: string;
};

/** The apiserver refuses longer messages (metav1.Condition), and with them the whole status. */
const LONGEST_MESSAGE = 32768;

/**
 * The list with `next` in the place of the condition of its type, or at the end.
 * `lastTransitionTime` moves only when `status` does, so a pass that finds nothing new changes
 * nothing. An over-long message is cut.
 */
export function setCondition(
  list: readonly Condition[],
  next: ConditionDraft,
  now: Date,
): readonly Condition[] {
  const before = findCondition(list, next.type);
  const condition: Condition = {
    ...next,
    message: next.message.slice(0, LONGEST_MESSAGE),
    lastTransitionTime:
      before !== undefined && before.status === next.status
        ? before.lastTransitionTime
        : timestamp(now),
  };
  if (before === undefined) return [...list, condition];
  return list.map((each) => (each.type === next.type ? condition : each));
}

/** All of `next` set one after the other. */
export function setConditions(
  list: readonly Condition[],
  next: readonly ConditionDraft[],
  now: Date,
): readonly Condition[] {
  return next.reduce((conditions, each) => setCondition(conditions, each, now), list);
}

/** The list without the condition of that type: for kstatus, an absent Stalled is a good sign. */
export function removeCondition(list: readonly Condition[], type: string): readonly Condition[] {
  return list.filter((each) => each.type !== type);
}

export function findCondition(
  list: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return list?.find((each) => each.type === type);
}

export function isConditionTrue(list: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(list, type)?.status === 'True';
}

/** The summary every kind has. */
export function ready(
  status: ConditionStatus,
  reason: Reason,
  message: string,
  observedGeneration?: number,
): ConditionDraft {
  return { type: 'Ready', status, reason, message, observedGeneration };
}

/** kstatus: work is under way; set it True while it is and remove it when it is done. */
export function reconciling(
  reason: Reason,
  message: string,
  observedGeneration?: number,
): ConditionDraft {
  return { type: 'Reconciling', status: 'True', reason, message, observedGeneration };
}

/** kstatus: nothing more will happen until a person acts; remove it when that is over. */
export function stalled(
  reason: Reason,
  message: string,
  observedGeneration?: number,
): ConditionDraft {
  return { type: 'Stalled', status: 'True', reason, message, observedGeneration };
}

/** RFC 3339 in UTC to the second, as metav1.Time has it. */
export function timestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
