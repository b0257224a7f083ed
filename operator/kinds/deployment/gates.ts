/** Which gate of a promotion a version stands at. Pure. */
import { timestamp } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import { parseDuration } from '../../../serving-runtime/protocol/duration.ts';
import { statusCondition, type Job } from '../kubernetes-objects.ts';
import { gateKey, templateFault, type AtGate } from './gate-job.ts';
import { gateJobName, gateJobOf } from './names.ts';

/** A version before the gates, and what there is to judge it by. */
export type Candidacy = {
  readonly deployment: Deployment;
  readonly source: Deployment;
  readonly version: ModelVersion;
  /** Since when the source serves it without a break; RFC 3339. */
  readonly since: string;
  /** Those that belong to the Deployment. */
  readonly jobs: readonly Job[];
};

export type GateWait =
  | { readonly for: 'bakeTime'; readonly until: string }
  /** The Job is to be created: the n-th try. */
  | { readonly for: 'start'; readonly at: AtGate; readonly attempt: number; readonly job: string }
  | { readonly for: 'job'; readonly job: string }
  /** The Job failed, and no annotation asks for another one. */
  | { readonly for: 'retry'; readonly job: string }
  | { readonly for: 'template'; readonly fault: string }
  | { readonly for: 'approval'; readonly named: string | undefined; readonly what: string };

/** What the first gate that is not passed waits for; undefined: all are. */
export const gateWait = (
  candidacy: Candidacy,
  now: Date,
): { readonly index: number; readonly wait: GateWait } | undefined => {
  const gates = candidacy.deployment.spec.promotion?.gates ?? [];
  for (const [index, gate] of gates.entries()) {
    const wait = waitAt({ ...candidacy, gate, index }, candidacy, now);
    if (wait !== undefined) return { index, wait };
  }
  return undefined;
};

const waitAt = (at: AtGate, candidacy: Candidacy, now: Date): GateWait | undefined => {
  const { bakeTime, job, approval } = at.gate;
  if (bakeTime !== undefined) return bakeWait(bakeTime, candidacy.since, now);
  if (job !== undefined) return jobWait(at, candidacy.jobs);
  const { annotations } = at.deployment.metadata;
  const named = annotations?.[ANNOTATIONS.approve];
  if (named === at.version.spec.version) return undefined;
  return { for: 'approval', named, what: approval?.description ?? '' };
};

/** 9999-12-31T23:59:59Z: RFC 3339 ends there, and a duration may be longer. */
const END_OF_TIME = 253_402_300_799_000;

const bakeWait = (bakeTime: string, since: string, now: Date): GateWait | undefined => {
  const until = Math.min(END_OF_TIME, Date.parse(since) + (parseDuration(bakeTime) ?? 0));
  if (now.getTime() >= until) return undefined;
  return { for: 'bakeTime', until: timestamp(new Date(until)) };
};

/** By the latest try; a Job that is being deleted, as a person who wants another one does, is waited for. */
const jobWait = (at: AtGate, jobs: readonly Job[]): GateWait | undefined => {
  const { name } = at.deployment.metadata;
  const key = gateKey(at);
  const start = (attempt: number): GateWait => {
    const fault = templateFault(at);
    if (fault !== undefined) return { for: 'template', fault };
    return { for: 'start', at, attempt, job: gateJobName(name, key, attempt) };
  };
  const tries = jobs.flatMap((job) => {
    const found = gateJobOf(job.metadata.name);
    return found?.key === key ? [{ job, attempt: found.attempt }] : [];
  });
  const [last] = tries.toSorted((a, b) => b.attempt - a.attempt);
  if (last === undefined) return start(1);
  const ended = (type: string): boolean =>
    statusCondition(last.job.status?.conditions, type)?.status === 'True';
  const { metadata } = last.job;
  if (metadata.deletionTimestamp !== undefined) return { for: 'job', job: metadata.name };
  if (ended('Complete')) return undefined;
  if (!ended('Failed')) return { for: 'job', job: metadata.name };
  const retry = at.deployment.metadata.annotations?.[ANNOTATIONS.retry];
  return retry === metadata.name ? start(last.attempt + 1) : { for: 'retry', job: metadata.name };
};
