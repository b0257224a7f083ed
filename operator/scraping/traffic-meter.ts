import type { Clock } from '../runtime/clock.ts';
import { comparable, emptyHistogram, type Histogram } from '../traffic/histogram.ts';
import { total, type Window } from '../traffic/traffic.ts';
import { PodHistory, type Stretch } from './pod-history.ts';
import { PodMetrics, type PodAddress } from './pod-metrics.ts';
import { readingOf, type Reading } from './reading.ts';

/**
 * What the pods of a group (such as the candidate's of a Deployment) answer, asked of the pods
 * themselves, so that a canary needs no Prometheus. All of it is in memory: after a restart of the
 * operator there is nothing before the first measurement, the windows begin there (`from`), and
 * whoever judges them waits for enough requests again.
 */
export type TrafficMeter = {
  /**
   * Reads the counters of the pods. One that does not answer, or answers nonsense, is silent and
   * keeps what was read of it before. Throws only when the signal aborts, and then nothing is taken.
   */
  measure(group: string, pods: readonly PodAddress[], signal: AbortSignal): Promise<void>;
  /** What the pods answered since then, those that are gone included, as far as it was measured. */
  window(group: string, since: Date): Window;
  forget(group: string): void;
};

type Group = {
  readonly pods: Map<string, PodHistory>;
  silent: readonly string[];
  /** With the bounds of the first pod that answered; pods with others are not believed. */
  buckets: Histogram;
  /** The earliest beginning of the windows asked for since the latest measurement. */
  asked: number | undefined;
  /** The same of the time before it; as it was when none was asked for. Histories keep it. */
  pinned: number | undefined;
  /** The last measurement begun: an older answer must not be taken after a newer one. */
  turn: Promise<unknown>;
};

type Answer = { readonly pod: PodAddress; readonly result: Reading | Error };

const PODS_AT_ONCE = 8;

export const createTrafficMeter = (clock: Clock): TrafficMeter => {
  const metrics = new PodMetrics(clock);
  const groups = new Map<string, Group>();

  const measureNow = async (
    name: string,
    group: Group,
    pods: readonly PodAddress[],
    signal: AbortSignal,
  ): Promise<void> => {
    signal.throwIfAborted();
    const at = clock.monotonic();
    const answers = await ask(metrics, pods, signal);
    signal.throwIfAborted();
    if (groups.get(name) === group) record(group, at, answers, offsetOf(clock));
  };

  return {
    measure: (name, pods, signal) => {
      const group = groups.get(name) ?? newGroup();
      groups.set(name, group);
      const measured = group.turn.then(() => measureNow(name, group, pods, signal));
      group.turn = measured.catch(() => undefined);
      return measured;
    },
    window: (name, since) => {
      const group = groups.get(name);
      if (group === undefined) return windowOf({ stretches: [], silent: [], offset: 0 });
      const offset = offsetOf(clock);
      const start = since.getTime() - offset;
      group.asked = Math.min(start, group.asked ?? Infinity);
      const stretches = [...group.pods.values()].map((pod) => pod.since(start));
      const { silent } = group;
      return windowOf({
        stretches: stretches.filter((each) => each !== undefined),
        silent,
        offset,
      });
    },
    forget: (name) => {
      groups.delete(name);
    },
  };
};

/**
 * From the times that do not jump, which snapshots are kept in, to those of the wall as it is set
 * now: when somebody sets it to another time, snapshots stay in order, and windows are as long ago.
 */
const offsetOf = (clock: Clock): number => clock.now() - clock.monotonic();

const newGroup = (): Group => ({
  pods: new Map(),
  silent: [],
  buckets: emptyHistogram,
  pinned: undefined,
  asked: undefined,
  turn: Promise.resolve(),
});

/** In the order of the pods; none fails the others. */
const ask = async (
  metrics: PodMetrics,
  pods: readonly PodAddress[],
  signal: AbortSignal,
): Promise<readonly Answer[]> => {
  const answers: Answer[] = [];
  const waiting = pods.entries();
  const askOneByOne = async (): Promise<void> => {
    for (const [i, pod] of waiting) {
      if (signal.aborted) return;
      const result = await metrics.text(pod, signal).then(readingOf).catch(asError);
      answers[i] = { pod, result };
    }
  };
  await Promise.all(Array.from({ length: PODS_AT_ONCE }, askOneByOne));
  return answers;
};

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error(String(reason));

const record = (group: Group, at: number, answers: readonly Answer[], offset: number): void => {
  group.pinned = group.asked ?? group.pinned;
  group.asked = undefined;
  const silent: string[] = [];
  for (const { pod, result } of answers) {
    const reason =
      result instanceof Error ? result.message : take(group, pod, result, { at, offset });
    if (reason !== undefined) silent.push(`pod ${pod.name}: ${reason}`);
  }
  group.silent = silent;
  const present = new Set(answers.map(({ pod }) => pod.uid));
  for (const [uid, history] of group.pods) {
    const isGone = !present.has(uid) && history.since(group.pinned ?? -Infinity) === undefined;
    if (isGone) group.pods.delete(uid);
  }
};

/** Why the reading cannot be taken; undefined when it was. */
const take = (
  group: Group,
  pod: PodAddress,
  reading: Reading,
  { at, offset }: { readonly at: number; readonly offset: number },
): string | undefined => {
  const { durations } = reading.traffic;
  if (!comparable(group.buckets, durations)) {
    return (
      `mlops_inference_duration_seconds has the buckets ${durations.bounds.slice(0, 20).join(' ')}, ` +
      `but those of the group's other pods are ${group.buckets.bounds.slice(0, 20).join(' ')}`
    );
  }
  if (durations.bounds.length > 0) group.buckets = durations;
  const history = group.pods.get(pod.uid) ?? new PodHistory();
  group.pods.set(pod.uid, history);
  const startedAt = reading.startedAt?.getTime();
  history.add(at, reading, startedAt === undefined ? undefined : startedAt - offset, group.pinned);
  return undefined;
};

type Found = {
  readonly stretches: readonly Stretch[];
  readonly silent: readonly string[];
  readonly offset: number;
};

const windowOf = ({ stretches, silent, offset }: Found): Window => {
  const traffic = total(stretches.map((each) => each.traffic));
  if (stretches.length === 0) return { traffic, from: undefined, to: undefined, silent };
  const from = new Date(Math.min(...stretches.map((each) => each.from)) + offset);
  const to = new Date(Math.max(...stretches.map((each) => each.to)) + offset);
  return { traffic, from, to, silent };
};
