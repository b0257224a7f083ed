/** Variants that are wanted no more, and how long their pods stay. Pure. */
import { timestamp } from '../../../crds/schema/conditions.ts';
import { leavingOf } from './memory.ts';
import { CANDIDATE } from './names.ts';
import type { Observation, Plan } from './plan.ts';

export type Leaving = {
  /** By variant, since when. */
  readonly since: Readonly<Record<string, string>>;
  readonly over: readonly string[];
  /** Milliseconds until the next one is over. */
  readonly leftMs: number | undefined;
};

/** Variants that get nothing any more stay a while: requests may be on their way to them. */
export const leavingVariants = (
  { deployment, traffic, candidate, trials }: Observation,
  plan: Plan,
  now: Date,
): Leaving => {
  const wanted = plan.trial?.variants.map(({ name }) => name) ?? [];
  const gone = [
    ...(candidate.apps !== undefined && plan.candidate === undefined ? [CANDIDATE] : []),
    ...[...trials.keys()].filter((name) => !wanted.includes(name)),
  ];
  const before = leavingOf(traffic.budget);
  const seconds = deployment.spec.strategy?.canary?.scaleDownDelaySeconds ?? DEFAULT_DELAY_SECONDS;
  const leftMs = (since: string) => Date.parse(since) + seconds * 1000 - now.getTime();
  const since = gone.map((name) => [name, before.get(name) ?? timestamp(now)] as const);
  const waits = since.map(([, from]) => leftMs(from)).filter((ms) => ms > 0);
  return {
    since: Object.fromEntries(since),
    over: since.filter(([, from]) => leftMs(from) <= 0).map(([name]) => name),
    leftMs: waits.length === 0 ? undefined : Math.min(...waits),
  };
};

const DEFAULT_DELAY_SECONDS = 30;
