import type { Condition, ConditionStatus, Reason } from '../../crds/schema/conditions.ts';
import type { Outcome, StatedCondition } from '../runtime/reconciler.ts';

/** A condition whose reason is one of the list that users are told about. */
export const condition = (
  type: string,
  status: ConditionStatus,
  reason: Reason,
  message: string,
): StatedCondition => ({ type, status, reason, message });

export const ready = (status: ConditionStatus, reason: Reason, message: string): StatedCondition =>
  condition('Ready', status, reason, message);

/** A condition from a status as it stood; we wrote it ourselves, so its reason is of the list. */
export const restated = ({ type, status, reason, message }: Condition): StatedCondition => ({
  type,
  status,
  reason: reason as Reason,
  message,
});

/** What is said about an object besides Ready. */
export type Particulars = {
  readonly status?: Readonly<Record<string, unknown>>;
  readonly conditions?: readonly StatedCondition[];
  readonly requeueAfterMs?: number;
};

const outcome = (
  progress: Outcome['progress'],
  summary: StatedCondition,
  { status = {}, conditions = [], requeueAfterMs }: Particulars,
): Outcome => ({
  status,
  conditions: [summary, ...conditions],
  progress,
  ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
});

/** Nothing more to do until something changes. */
export const settled = (summary: StatedCondition, more: Particulars = {}): Outcome =>
  outcome('settled', summary, more);

/** On its way; what it waits for wakes it up, or the re-check time does. */
export const working = (summary: StatedCondition, more: Particulars = {}): Outcome =>
  outcome('working', summary, more);

/** Only a change by somebody helps. */
export const stalled = (summary: StatedCondition, more: Particulars = {}): Outcome =>
  outcome('stalled', summary, more);
