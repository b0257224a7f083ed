import type { Reason } from '../../../crds/schema/conditions.ts';
import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import { labelValue } from '../names-of-children.ts';
import { canaryMemoryOf } from './memory.ts';
import type { Observation, Plan } from './plan.ts';
import { attemptOf, retryOf } from './rollout.ts';
import type { Promoting } from './promote.ts';
import { stepWords } from './tell-canary.ts';
import { isNews, promotedCondition } from './tell-promotion.ts';

/** Events for what a plan begins, and for annotations that mean nothing. */
export const announce = (observation: Observation, plan: Plan, pass: Pass): void => {
  const { deployment } = observation;
  warnOfAnnotations(deployment, plan, pass);
  if (plan.candidate !== undefined) announceStep(observation, plan, pass);
  else announceRollout(plan, pass);
};

/** Once for each turn that a promotion takes; what goes wrong is a warning. */
export const announcePromotion = (
  deployment: Deployment,
  promoting: Promoting,
  pass: Pass,
): void => {
  const told = promotedCondition(deployment, promoting);
  if (!isNews(deployment, promoting, told)) return;
  const type = QUIET.includes(told.reason) ? 'Normal' : 'Warning';
  pass.event(type, told.reason, told.message);
};

const QUIET: readonly Reason[] = [
  'Promoted',
  'GateWaiting',
  'AwaitingApproval',
  'SourceNotReady',
  'AliasMoved',
];

const announceRollout = ({ target, progress, situation }: Plan, pass: Pass): void => {
  if (target === undefined || situation.is === 'rolled-back') return;
  const { current } = progress;
  if (current === undefined || labelValue(target.metadata.name) === current) return;
  pass.event(
    'Normal',
    'RolloutStarted',
    `Rolling from ${current} to version ${target.spec.version}.`,
  );
};

/** Once for each step, in the pass that begins it. */
const announceStep = ({ deployment, candidate }: Observation, plan: Plan, pass: Pass): void => {
  const before = canaryMemoryOf(candidate.apps);
  const now = plan.candidate?.memory;
  if (now === undefined || plan.candidate === undefined) return;
  if (before?.attempt === now.attempt && before.step === now.step) return;
  const reason = now.step === 0 ? 'RolloutStarted' : 'RolloutProgressing';
  pass.event('Normal', reason, stepWords(deployment, plan.candidate));
};

const warnOfAnnotations = (deployment: Deployment, plan: Plan, pass: Pass): void => {
  const { failed } = plan;
  const retry = retryOf(deployment);
  if (failed !== undefined && retry !== undefined && isUnknownRetry(deployment, plan)) {
    pass.event(
      'Warning',
      'RetryIgnored',
      `The annotation retry is ${retry}, which is no attempt that failed; the last one is ${failed.attempt}.`,
    );
  }
  const attempt = plan.candidate?.memory.attempt;
  if (attempt === undefined) return;
  for (const name of [ANNOTATIONS.promote, ANNOTATIONS.abort, ANNOTATIONS.pause]) {
    const value = deployment.metadata.annotations?.[name];
    if (value === undefined || value.split('.')[0] === attempt) continue;
    pass.event(
      'Warning',
      'AnnotationIgnored',
      `The annotation ${name} is ${value}, which is not what is being rolled out (${attempt}); it is ignored.`,
    );
  }
};

/** A retry that was followed is part of the attempt's name; any other value means nothing. */
const isUnknownRetry = (deployment: Deployment, { wanted, failed }: Plan): boolean =>
  wanted !== undefined && failed?.attempt !== attemptOf(deployment, wanted.metadata.name);
