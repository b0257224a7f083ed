/** The rollout of a new version step by step: how far it has come and what comes next. Pure. */
import { timestamp } from '../../../crds/schema/conditions.ts';
import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { parseDuration } from '../../../serving-runtime/protocol/duration.ts';
import type { CanaryMemory } from './memory.ts';
import type { Progress } from './rollout.ts';
import type { Verdict } from './metrics/verdict.ts';

export type CanarySpec = NonNullable<NonNullable<Deployment['spec']['strategy']>['canary']>;
type CanaryStep = CanarySpec['steps'][number];

/** What there is of the candidate, and what asks for it. */
export type Situation = {
  readonly spec: CanarySpec;
  readonly version: ModelVersion;
  /** Name of this attempt; the annotations must name it. */
  readonly attempt: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly memory: CanaryMemory | undefined;
  /** Of the candidate's pods, where their template is that of the version. */
  readonly progress: Progress | undefined;
  /** Pods it must have at a step. */
  readonly replicasAt: (step: number) => number;
  /** Its share of the requests at a step, in percent. */
  readonly weightAt: (step: number) => number;
  /** Its share as it was routed last. */
  readonly routed: number;
  readonly verdict: Verdict | undefined;
};

export type Candidate = {
  readonly version: ModelVersion;
  readonly memory: CanaryMemory;
  /** Percent of the requests that it gets from now on. */
  readonly weight: number;
  /** Pods it must have. */
  readonly replicas: number;
  /** Whether it has a pod that can answer. */
  readonly isServing: boolean;
  readonly waits: Wait;
};

export type Wait =
  | {
      readonly for: 'pods';
      readonly replicas: number;
      readonly available: number;
      /** The cluster refuses pods, in its words. */
      readonly refused: string | undefined;
    }
  | { readonly for: 'route' }
  | { readonly for: 'time'; readonly until: string }
  | { readonly for: 'promote' | 'hold' }
  | { readonly for: 'verdict'; readonly words: string }
  | { readonly for: 'takeover' };

/** How an attempt came to nothing. */
export type Failure = { readonly reason: string; readonly message: string };

/** The name the annotations promote and abort carry: of the attempt, and of the step it stands at. */
export const revisionOf = ({ attempt, step }: Pick<CanaryMemory, 'attempt' | 'step'>): string =>
  `${attempt}.${step}`;

/** Why the attempt ends now, if it does. */
export const failureOf = (situation: Situation): Failure | undefined => {
  const { annotations, attempt, progress, verdict } = situation;
  const abort = annotations[ANNOTATIONS.abort];
  if (abort !== undefined && namesAttempt(abort, attempt)) {
    return { reason: 'Aborted', message: `the annotation ${ANNOTATIONS.abort} asked for it` };
  }
  if (progress?.failure !== undefined) return progress.failure;
  if (verdict?.is === 'fail') return { reason: 'AnalysisFailed', message: verdict.words };
  return undefined;
};

const namesAttempt = (value: string, attempt: string): boolean =>
  value === attempt || value.startsWith(`${attempt}.`);

/** The candidate as it is to be from now on; one step further where the one it stands at is done. */
export const candidateOf = (situation: Situation, now: Date): Candidate => {
  const before = rememberedOf(situation, now);
  const wait = waitOf(situation, before, now);
  const memory = wait === undefined ? next(situation, before, now) : before;
  return {
    version: situation.version,
    memory,
    weight: weightNow(situation, memory),
    replicas: situation.replicasAt(memory.step),
    isServing: available(situation) > 0,
    waits: wait ?? podsWait(situation, memory.step),
  };
};

const rememberedOf = ({ attempt, memory }: Situation, now: Date): CanaryMemory => {
  if (memory?.attempt === attempt) return memory;
  const since = timestamp(now);
  return { attempt, step: 0, since, judgedFrom: since };
};

const next = ({ annotations, attempt, spec }: Situation, before: CanaryMemory, now: Date) => {
  const since = timestamp(now);
  const step = isPromotedInFull(annotations, attempt) ? spec.steps.length : before.step + 1;
  const judgedFrom = changesTraffic(spec.steps[before.step]) ? since : before.judgedFrom;
  return { attempt, step, since, judgedFrom };
};

const changesTraffic = (step: CanaryStep | undefined): boolean =>
  step?.setWeight !== undefined ||
  step?.setMirrorRoute !== undefined ||
  step?.setHeaderRoute !== undefined;

const isPromotedInFull = (annotations: Situation['annotations'], attempt: string): boolean =>
  annotations[ANNOTATIONS.promote] === `${attempt}.full`;

const available = ({ progress }: Situation): number => progress?.available ?? 0;

const podsWait = (situation: Situation, step: number): Wait => ({
  for: 'pods',
  replicas: situation.replicasAt(step),
  available: available(situation),
  refused: situation.progress?.refused,
});

const isReady = (situation: Situation, step: number): boolean =>
  situation.progress?.complete === true && available(situation) >= situation.replicasAt(step);

/** Never on pods that are not ready: more only where all are, and nothing where none is. */
const weightNow = (situation: Situation, { step }: CanaryMemory): number => {
  if (available(situation) === 0) return 0;
  const wanted = situation.weightAt(step);
  return isReady(situation, step) ? wanted : Math.min(wanted, situation.routed);
};

/** What the step waits for; undefined: it is done. */
const waitOf = (situation: Situation, memory: CanaryMemory, now: Date): Wait | undefined => {
  const { spec, annotations, attempt } = situation;
  const { step } = memory;
  const hold = annotations[ANNOTATIONS.pause];
  if (hold !== undefined && namesAttempt(hold, attempt)) return { for: 'hold' };
  if (!isReady(situation, step)) {
    return podsWait(situation, step);
  }
  const current = spec.steps[step];
  if (current === undefined) return { for: 'takeover' };
  if (situation.routed !== situation.weightAt(step)) return { for: 'route' };
  if (isPromoted(annotations, memory)) return undefined;
  return waitAt(current, situation, memory, now);
};

const isPromoted = (annotations: Situation['annotations'], memory: CanaryMemory): boolean =>
  isPromotedInFull(annotations, memory.attempt) ||
  annotations[ANNOTATIONS.promote] === revisionOf(memory);

const waitAt = (
  current: CanaryStep,
  situation: Situation,
  memory: CanaryMemory,
  now: Date,
): Wait | undefined => {
  const { pause, analysis } = current;
  if (pause !== undefined && pause.duration === undefined) return { for: 'promote' };
  const lasts = parseDuration((pause ?? analysis)?.duration ?? '0s') ?? 0;
  const until = Date.parse(memory.since) + lasts;
  if (now.getTime() < until) return { for: 'time', until: timestamp(new Date(until)) };
  return unjudged(situation, memory);
};

/** Before more traffic than the metrics have been judged on comes, they must be good. */
const unjudged = (
  { spec, verdict, weightAt }: Situation,
  { step }: CanaryMemory,
): Wait | undefined => {
  if (!mustBeJudged(spec, step, weightAt) || verdict?.is === 'pass') return undefined;
  return { for: 'verdict', words: verdict?.words ?? 'nothing has been measured yet' };
};

/** Whether the metrics must be good before what comes after this step. */
export const mustBeJudged = (
  { steps, analysis }: CanarySpec,
  step: number,
  weightAt: (step: number) => number,
): boolean => {
  const following = steps[step + 1];
  const isJudgedLater = following?.pause !== undefined || following?.analysis !== undefined;
  if (analysis === undefined) return false;
  return steps[step]?.analysis !== undefined || (weightAt(step) > 0 && !isJudgedLater);
};
