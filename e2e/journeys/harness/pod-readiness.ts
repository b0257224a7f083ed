/** Whether requests went to pods that were ready, by what the API server told of the pods. Pure. */
import type { Change } from './watched.ts';

/** What is watched of pods. */
export const POD_FIELDS = {
  name: '.metadata.name',
  ip: '.status.podIP',
  ready: '.status.conditions[?(@.type=="Ready")].status',
  since: '.status.conditions[?(@.type=="Ready")].lastTransitionTime',
  stops: '.metadata.deletionTimestamp',
} as const;

export type PodChange = Change<keyof typeof POD_FIELDS>;

/** One answer: which pod gave it, and when the request was sent, in milliseconds. */
export type AnswerOfPod = { readonly ip: string; readonly sentAt: number };

type Misdirected = AnswerOfPod & { readonly why: string };

/** Kubernetes tells times in whole seconds. */
const SECOND_MS = 1000;
/** A pod that is told to stop answers for so long, while others learn of it (serving-pod.ts: DRAIN_SECONDS). */
const DRAIN_MS = 5000;

type Readiness = {
  /** From when on it was ready. */
  readonly from: number;
  readonly to: number;
};

/** Answers of pods that were not ready when the request was sent, or had stopped draining by then. */
export const misdirected = (
  answers: readonly AnswerOfPod[],
  changes: readonly PodChange[],
): readonly Misdirected[] => {
  const periods = new Map<string, readonly Readiness[]>();
  for (const ip of new Set(answers.map((answer) => answer.ip))) {
    periods.set(ip, readinessOf(changes.filter(({ fields }) => fields.ip === ip)));
  }
  return answers.flatMap((answer) => {
    const its = periods.get(answer.ip) ?? [];
    if (its.some(({ from, to }) => from <= answer.sentAt && answer.sentAt <= to)) return [];
    const words = its.map(({ from, to }) => `${timeOf(from)} to ${timeOf(to)}`).join(', ');
    const why = `sent at ${timeOf(answer.sentAt)}; the pod was ready ${words || 'never'}`;
    return [{ ...answer, why }];
  });
};

/** Changes of one pod, in their order. */
const readinessOf = (changes: readonly PodChange[]): readonly Readiness[] => {
  const periods: Readiness[] = [];
  let from: number | undefined;
  let until = Infinity;
  const close = (to: number) => {
    if (from !== undefined) periods.push({ from, to });
    from = undefined;
  };
  for (const { at, isDeleted, fields } of changes) {
    if (isDeleted) close(Math.min(at, until));
    else if (fields.ready === 'True') from ??= Date.parse(fields.since);
    else close(Math.min(Date.parse(fields.since) + SECOND_MS, until));
    if (fields.stops !== '' && until === Infinity) until = at + DRAIN_MS;
  }
  close(until);
  return periods;
};

const timeOf = (ms: number): string =>
  Number.isFinite(ms) ? new Date(ms).toISOString().slice(11, 23) : 'the end';
