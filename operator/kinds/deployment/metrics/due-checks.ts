/** Which Jobs of an analysis are to begin now. Pure. */
import { parseDuration } from '../../../../serving-runtime/protocol/duration.ts';
import type { Metric } from './verdict.ts';
import { mustBeJudged, type Candidate } from '../canary.ts';
import type { Observation } from '../plan.ts';
import { weightAt } from '../../../traffic/step-plan.ts';
import { judgeMeasured } from './judge-measured.ts';
import type { Checks } from './observe-checks.ts';

type DueCheck = { readonly metric: Metric; readonly run: number };

/** One run after the other, each at the share it is to judge, until the metric is good or bad. */
export const dueChecks = (
  { deployment, checks }: Pick<Observation, 'deployment' | 'checks'>,
  { memory, waits }: Pick<Candidate, 'memory' | 'waits'>,
  now: Date,
): readonly DueCheck[] => {
  const canary = deployment.spec.strategy?.canary;
  const stands = ['time', 'promote', 'verdict'].includes(waits.for);
  if (canary?.analysis === undefined || !stands) return [];
  if (!mustBeJudged(canary, memory.step, (step) => weightAt(canary.steps, step))) return [];
  const intervalMs = parseDuration(canary.analysis.interval) ?? 0;
  const isDue = ({ metric, measured, latestAt }: Checks): boolean => {
    if (measured.pending !== undefined) return false;
    if (judgeMeasured(metric, measured).is !== 'inconclusive') return false;
    if (latestAt !== undefined) return now.getTime() - latestAt >= intervalMs;
    const delayMs = parseDuration(metric.initialDelay ?? '0s') ?? 0;
    return now.getTime() - Date.parse(memory.judgedFrom) >= delayMs;
  };
  return checks.filter(isDue).map(({ metric, next }) => ({ metric, run: next }));
};
