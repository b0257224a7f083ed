/** Carries out promotions: Jobs of gates, and the alias that moves. */
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import { API_VERSION } from '../../../crds/schema/resource.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import { versionsOf } from '../model-versions.ts';
import { troubleOf } from '../pod-report.ts';
import type { ChildDefaults } from '../ports.ts';
import { refusalOf, type Refusal } from '../refusal.ts';
import { gateJob, gateKey } from './gate-job.ts';
import { gateJobOf } from './names.ts';
import { DEPLOYMENT, MODEL_ALIAS, MODEL_VERSION, modelOf } from './observe.ts';
import { promotionOf, type Promotion, type PromotionSeen } from './promotion.ts';

/** How a promotion stands after this pass. */
export type Promoting = {
  readonly promotion: Promotion;
  /** What the cluster has against the Job of the gate, or against the alias. */
  readonly refusal?: Refusal | undefined;
  /** What is wrong with a pod of the gate's Job. */
  readonly trouble?: string | undefined;
};

/** Each step is written before it is told, so that an operator that dies in between repeats nothing. */
export const promote = async (
  deployment: Deployment,
  pass: Pass,
  defaults: ChildDefaults,
): Promise<Promoting | undefined> => {
  const seen = see(deployment, pass);
  const promotion = promotionOf(seen, pass.now);
  if (promotion === undefined) return undefined;
  try {
    await forgetJobs(seen, promotion, pass);
    return await carriedOut(seen, promotion, pass, defaults);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { promotion, refusal };
  }
};

const see = (deployment: Deployment, pass: Pass): PromotionSeen => {
  const { modelRef, alias } = deployment.spec.predictor.model;
  return {
    deployment,
    deployments: pass.cachedList<Deployment>(DEPLOYMENT),
    versions: versionsOf(pass.cachedList<ModelVersion>(MODEL_VERSION), modelOf(deployment)),
    alias: pass
      .cachedList<ModelAlias>(MODEL_ALIAS)
      .find(({ spec }) => spec.alias === alias && spec.modelRef.name === modelRef.name),
    jobs: pass.owned<Job>(JOB),
  };
};

const carriedOut = async (
  seen: PromotionSeen,
  promotion: Promotion,
  pass: Pass,
  defaults: ChildDefaults,
): Promise<Promoting> => {
  if (promotion.is === 'moves') return moved(seen, pass);
  if (promotion.is !== 'at-gate') return { promotion };
  const { wait } = promotion;
  if (wait.for === 'start') {
    await pass.ensure<Job>(JOB, gateJob(wait.at, wait.attempt, defaults));
    return { promotion: { ...promotion, wait: { for: 'job', job: wait.job } } };
  }
  if (wait.for !== 'job' && wait.for !== 'retry') return { promotion };
  return { promotion, trouble: await troubleOfJob(wait.job, seen.deployment, pass) };
};

/** The alias is read again, as a cache may not know yet that somebody pinned or moved it. */
const moved = async (seen: PromotionSeen, pass: Pass): Promise<Promoting> => {
  const { metadata, spec } = seen.deployment;
  const { modelRef, alias = '' } = spec.predictor.model;
  const { namespace } = metadata;
  const name = `${modelRef.name}-${alias}`;
  const live = await pass.live.get<ModelAlias>(MODEL_ALIAS, { namespace, name });
  const promotion = promotionOf({ ...seen, alias: live }, pass.now);
  if (promotion?.is !== 'moves') return { promotion: promotion ?? NOTHING };
  const { version } = promotion.version.spec;
  const annotations = { [ANNOTATIONS.promoted]: version };
  const moving = {
    ...{ apiVersion: API_VERSION, kind: 'ModelAlias', metadata: { name, namespace, annotations } },
    spec: { modelRef: { name: modelRef.name }, alias, version },
  };
  await pass.apply(MODEL_ALIAS, moving, { owned: false });
  if (promotion.before !== version) {
    const from = promotion.before === undefined ? '' : ` from ${promotion.before}`;
    const words = `Alias ${alias} moved${from} to version ${version}, which Deployment ${spec.promotion?.from.name ?? ''} serves${approval(seen.deployment, version)}.`;
    pass.event('Normal', 'AliasMoved', words);
  }
  return { promotion: { ...promotion, is: 'promoted' } };
};

const NOTHING = {
  ...{ is: 'refused', reason: 'PromotionInvalid' },
  message: 'spec.promotion is gone',
} as const satisfies Promotion;

const approval = ({ metadata: { annotations = {} } }: Deployment, version: string): string => {
  if (annotations[ANNOTATIONS.approve] !== version) return '';
  const by = annotations[ANNOTATIONS.requestedBy];
  return ` and which was approved${by === undefined ? '' : ` (last written by ${by})`}`;
};

const troubleOfJob = async (
  job: string,
  { metadata: { namespace } }: Deployment,
  pass: Pass,
): Promise<string | undefined> => {
  const labelSelector = `batch.kubernetes.io/job-name=${job}`;
  const { items } = await pass.live.list<Pod>(POD, { namespace, labelSelector });
  return items.map(troubleOf).find((each) => each !== undefined);
};

/** As many Jobs of other versions are kept, so that their logs can be read. */
const KEPT_JOBS = 3;

const forgetJobs = async (
  { deployment, deployments, jobs }: PromotionSeen,
  promotion: Promotion,
  pass: Pass,
): Promise<void> => {
  const { from, gates = [] } = deployment.spec.promotion ?? { from: { name: '' } };
  const source = deployments.find(({ metadata }) => metadata.name === from.name);
  if (!('version' in promotion) || source === undefined) return;
  const { version } = promotion;
  const current = new Set(
    gates.map((gate, index) => gateKey({ deployment, source, version, gate, index })),
  );
  const others = jobs
    .filter(({ metadata }) => {
      const gate = gateJobOf(metadata.name);
      return gate !== undefined && !current.has(gate.key);
    })
    .toSorted((a, b) => (createdAt(a) < createdAt(b) ? 1 : -1));
  for (const job of others.slice(KEPT_JOBS)) await pass.delete(JOB, job);
};

const createdAt = ({ metadata }: Job): string =>
  `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
