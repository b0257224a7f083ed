/** How far the version of the Deployment before has come, in words. Pure. */
import { findCondition, type Reason } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import type { Outcome, StatedCondition } from '../../runtime/reconciler.ts';
import { condition } from '../outcome.ts';
import type { GateWait } from './gates.ts';
import type { Promoting } from './promote.ts';
import type { Promotion } from './promotion.ts';

/** What a gate's Job has trouble with does not wake its Deployment. */
const LOOK_AT_JOB_MS = 15_000;
/** A refusal may be taken back without anything changing here. */
const LOOK_AGAIN_MS = 30_000;

type Told = { readonly reason: Reason; readonly message: string };

/** The outcome of the rollout, with what is said about the promotion. */
export const withPromotion = (
  outcome: Outcome,
  deployment: Deployment,
  promoting: Promoting | undefined,
  now: Date,
): Outcome => {
  if (promoting === undefined) return outcome;
  const after = [outcome.requeueAfterMs, lookAgainMs(promoting, now)].filter(
    (each) => each !== undefined,
  );
  return {
    ...outcome,
    status: { ...outcome.status, promotion: statusOf(deployment, promoting) },
    conditions: [...outcome.conditions, promotedCondition(deployment, promoting)],
    ...(after.length === 0 ? {} : { requeueAfterMs: Math.min(...after) }),
  };
};

/** Whether something else is said than before, which is worth an Event. */
export const isNews = ({ status }: Deployment, promoting: Promoting, told: Told): boolean => {
  const before = findCondition(status?.conditions, 'Promoted');
  const version = versionOf(promoting.promotion);
  return before?.reason !== told.reason || status?.promotion?.version !== version;
};

export const promotedCondition = (
  deployment: Deployment,
  promoting: Promoting,
): StatedCondition & Told => {
  const { promotion, refusal } = promoting;
  const { reason, message } =
    refusal === undefined
      ? told(deployment, promoting)
      : {
          reason: refusal.reason,
          message: `${heading(promotion)}the cluster refuses it: ${refusal.words}`,
        };
  const isDone = refusal === undefined && promotion.is === 'promoted';
  return { ...condition('Promoted', isDone ? 'True' : 'False', reason, message), reason };
};

const versionOf = (promotion: Promotion): string | undefined =>
  'version' in promotion ? promotion.version.spec.version : undefined;

const heading = (promotion: Promotion): string => {
  const version = versionOf(promotion);
  return version === undefined ? '' : `Version ${version}: `;
};

const told = (deployment: Deployment, promoting: Promoting): Told => {
  const { promotion } = promoting;
  const from = deployment.spec.promotion?.from.name ?? '';
  switch (promotion.is) {
    case 'refused':
    case 'sourceless':
    case 'held':
      return {
        reason: promotion.reason,
        message: `${heading(promotion)}${upperCaseFirst(promotion.message)}.`,
      };
    case 'moves':
    case 'promoted':
      return {
        reason: 'Promoted',
        message: `Version ${promotion.version.spec.version} came from Deployment ${from}.`,
      };
    case 'moved-away':
      return {
        reason: 'AliasMoved',
        message: `Version ${promotion.version.spec.version} was promoted from Deployment ${from}; somebody moved alias ${deployment.spec.predictor.model.alias ?? ''} to ${promotion.to} since, where it stays until Deployment ${from} serves another version. To have it back, move the alias by hand.`,
      };
    case 'at-gate':
      return atGate(deployment, promotion, promoting.trouble);
  }
};

const upperCaseFirst = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

const atGate = (
  deployment: Deployment,
  { version, since, index, wait }: Extract<Promotion, { is: 'at-gate' }>,
  trouble: string | undefined,
): Told => {
  const { from, gates = [] } = deployment.spec.promotion ?? { from: { name: '' } };
  const { reason, message } = gateWords(deployment, wait, version.spec.version, trouble);
  const where = `Version ${version.spec.version}, which Deployment ${from.name} has served since ${since}, is at gate ${index + 1} of ${gates.length}`;
  return { reason, message: `${where}: ${message}.` };
};

const gateWords = (
  deployment: Deployment,
  wait: GateWait,
  version: string,
  trouble: string | undefined,
): Told => {
  const because = trouble === undefined ? '' : ` (${trouble})`;
  switch (wait.for) {
    case 'bakeTime':
      return { reason: 'GateWaiting', message: `it bakes until ${wait.until}` };
    case 'start':
    case 'job':
      return { reason: 'GateWaiting', message: `Job ${wait.job} is to end${because}` };
    case 'retry':
      return {
        reason: 'GateFailed',
        message: `Job ${wait.job} failed${because}, so the version is held; to try again: ${annotate(deployment, ANNOTATIONS.retry, wait.job)}`,
      };
    case 'template':
      return { reason: 'InvalidTemplate', message: wait.fault };
    case 'approval':
      return {
        reason: 'AwaitingApproval',
        message: `a person must agree${wait.what === '' ? '' : ` (${wait.what})`}: ${annotate(deployment, ANNOTATIONS.approve, version)}${wait.named === undefined ? '' : `; the annotation names ${wait.named} now`}`,
      };
  }
};

const annotate = ({ metadata }: Deployment, name: string, value: string): string =>
  `kubectl annotate modeldeployment ${metadata.name} -n ${metadata.namespace} --overwrite ${name}=${value}`;

const statusOf = ({ spec }: Deployment, { promotion }: Promoting) => {
  const from = spec.promotion?.from.name ?? '';
  if (!('version' in promotion)) return { from, waitingFor: 'source' };
  const { version, since } = promotion;
  return { from, version: version.spec.version, since, ...waitingFor(promotion) };
};

const waitingFor = (
  promotion: Promotion,
): { readonly waitingFor?: string; readonly job?: string } => {
  if (promotion.is === 'held') return { waitingFor: 'version' };
  if (promotion.is !== 'at-gate') return {};
  const { wait } = promotion;
  switch (wait.for) {
    case 'bakeTime':
    case 'approval':
      return { waitingFor: wait.for };
    case 'template':
      return { waitingFor: 'job' };
    case 'retry':
      return { waitingFor: 'retry', job: wait.job };
    case 'start':
    case 'job':
      return { waitingFor: 'job', job: wait.job };
  }
};

const lookAgainMs = ({ promotion, refusal }: Promoting, now: Date): number | undefined => {
  if (refusal !== undefined) return LOOK_AGAIN_MS;
  if (promotion.is !== 'at-gate') return undefined;
  const { wait } = promotion;
  if (wait.for === 'bakeTime') return Math.max(0, Date.parse(wait.until) - now.getTime());
  return wait.for === 'job' ? LOOK_AT_JOB_MS : undefined;
};
