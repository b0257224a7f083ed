/** Begins the Jobs that are due and ends those that nobody waits for. */
import { LABELS } from '../../../../crds/schema/names.ts';
import { JOB } from '../../../runtime/kubernetes-types.ts';
import type { Pass } from '../../../runtime/reconciler.ts';
import type { ChildDefaults } from '../../ports.ts';
import { refusalOf } from '../../refusal.ts';
import { stableOf } from '../canary-plan.ts';
import type { Candidate } from '../canary.ts';
import type { Observation, Plan } from '../plan.ts';
import { checkJob, nameOfCheck, type Check } from './check-job.ts';
import { dueChecks } from './due-checks.ts';
import { hasEnded, ownChecks } from './observe-checks.ts';
import { placeholdersOf, Unfillable } from './placeholders.ts';

/** Why a Job that is due cannot be begun; undefined when all could. */
export const writeChecks = async (
  observation: Observation,
  plan: Plan,
  pass: Pass,
  defaults: ChildDefaults,
): Promise<string | undefined> => {
  const { deployment } = observation;
  const { candidate } = plan;
  for (const job of ownChecks(deployment, pass)) {
    const ofNow = candidate?.memory.attempt === job.metadata.labels?.[LABELS.attempt];
    // What has ended stays for a look at its log, until the next attempt.
    const isOver = candidate === undefined ? !hasEnded(job) : !ofNow;
    if (isOver || isStale(observation, candidate, job)) await pass.delete(JOB, job);
  }
  if (candidate === undefined) return undefined;
  for (const { metric, run } of dueChecks(observation, candidate, pass.now)) {
    const { memory } = candidate;
    const name = nameOfCheck(deployment, metric.name, memory, run);
    const check = { metric, name, attempt: memory.attempt };
    const refused = await begin(check, { observation, candidate }, pass, defaults);
    if (refused !== undefined) return `${metric.name}: ${refused}`;
  }
  return undefined;
};

/** One that still runs, but began at another share of the requests. */
const isStale = (
  { deployment }: Observation,
  candidate: Candidate | undefined,
  job: Parameters<typeof hasEnded>[0],
): boolean => {
  if (candidate === undefined || hasEnded(job)) return false;
  const metric = job.metadata.labels?.[LABELS.checkedMetric] ?? '';
  const stem = nameOfCheck(deployment, metric, candidate.memory, 0).slice(0, -1);
  return !job.metadata.name.startsWith(stem);
};

const begin = async (
  check: Check,
  { observation, candidate }: { readonly observation: Observation; readonly candidate: Candidate },
  pass: Pass,
  defaults: ChildDefaults,
): Promise<string | undefined> => {
  const { deployment } = observation;
  try {
    const placeholders = placeholdersOf(deployment, candidate.version, stableOf(observation));
    await pass.ensure(JOB, checkJob(deployment, check, placeholders, defaults));
    pass.event('Normal', 'CheckStarted', `Metric ${check.metric.name}: started Job ${check.name}.`);
    return undefined;
  } catch (error) {
    if (error instanceof Unfillable) return error.message;
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return `the cluster refuses Job ${check.name}: ${refusal.words}`;
  }
};
