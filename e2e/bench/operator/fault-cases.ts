import type { FaultProxy } from '../../faults/proxy/fault-proxy.ts';
import type { Rule } from '../../faults/proxy/rule.ts';
import type { Verb } from '../../faults/proxy/request-facts.ts';

/** Trouble between an operator and its API server. */
export type FaultCase = {
  readonly name: string;
  /** Given up after so long, for each of both phases. */
  readonly limitSeconds: number;
  readonly verifyMs?: number;
  inflict(proxy: FaultProxy): void;
};

const CALLS: readonly Verb[] = ['get', 'list', 'create', 'update', 'patch', 'apply', 'delete'];
const CHANGES: readonly Verb[] = ['create', 'update', 'patch', 'apply'];
const REWRITES: readonly Verb[] = ['update', 'patch', 'apply'];

const ruled = (rule: Rule, more: Partial<FaultCase> = {}): FaultCase => ({
  name: rule.name,
  limitSeconds: 60,
  inflict: (proxy) => void proxy.rules.add(rule),
  ...more,
});

export const FAULT_CASES: readonly FaultCase[] = [
  { name: 'clean', limitSeconds: 60, inflict: () => undefined },
  ruled({
    name: '20 % of calls answered 500',
    match: { verbs: CALLS },
    probability: 0.2,
    fault: { type: 'status', code: 500 },
  }),
  ruled({
    name: '30 % of calls answered 429, Retry-After 1',
    match: { verbs: CALLS },
    probability: 0.3,
    fault: { type: 'status', code: 429, retryAfterSeconds: 1 },
  }),
  ruled({
    name: '30 % of writes answered 409',
    match: { verbs: REWRITES },
    probability: 0.3,
    fault: { type: 'status', code: 409 },
  }),
  ruled({
    name: '20 % of writes applied, answer cut',
    match: { verbs: CHANGES },
    probability: 0.2,
    fault: { type: 'applyThenCut' },
  }),
  {
    name: 'open watches frozen',
    // A minute and what the changes themselves take.
    limitSeconds: 65,
    inflict: (proxy) => proxy.freezeWatches(),
  },
  ruled(
    { name: '10 % of events lost', probability: 0.1, fault: { type: 'dropEvents' } },
    { verifyMs: 5_000 },
  ),
];
