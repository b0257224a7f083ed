/** The Jobs of an analysis, as they are and as they are to be. */
import type { Deployment } from '../../../../crds/schema/deployment.ts';
import { LABELS } from '../../../../crds/schema/names.ts';
import { CORE_EVENT, JOB, POD } from '../../../runtime/kubernetes-types.ts';
import type { Pass } from '../../../runtime/reconciler.ts';
import {
  statusCondition,
  type ClusterEvent,
  type Job,
  type Pod,
} from '../../kubernetes-objects.ts';
import type { Metric } from './verdict.ts';
import type { CanaryMemory } from '../memory.ts';
import { nameOfCheck } from './check-job.ts';
import { checkState, type CheckState } from './check-state.ts';
import type { Measured } from './judge-measured.ts';

/** The runs of one metric since the candidate has its share of the requests. */
export type Checks = {
  readonly metric: Metric;
  readonly measured: Measured;
  /** Number of the run that comes next. */
  readonly next: number;
  /** When the latest run was begun, in milliseconds since the epoch. */
  readonly latestAt: number | undefined;
};

/** Of a Deployment; those of earlier attempts too. */
export const ownChecks = ({ metadata }: Deployment, pass: Pass): readonly Job[] =>
  pass
    .owned<Job>(JOB)
    .filter(
      (job) =>
        job.metadata.labels?.[LABELS.checkOf] === metadata.name &&
        job.metadata.deletionTimestamp === undefined,
    );

export const hasEnded = ({ status }: Job): boolean =>
  ['Complete', 'Failed'].some(
    (type) => statusCondition(status?.conditions, type)?.status === 'True',
  );

export const observeChecks = async (
  deployment: Deployment,
  memory: CanaryMemory | undefined,
  pass: Pass,
): Promise<readonly Checks[]> => {
  const metrics = deployment.spec.strategy?.canary?.analysis?.metrics ?? [];
  if (memory === undefined) return [];
  const jobs = new Map(ownChecks(deployment, pass).map((job) => [job.metadata.name, job]));
  const found = metrics
    .filter(({ job }) => job !== undefined)
    .map((metric) => checksOf(deployment, { metric, memory, jobs }, pass));
  return Promise.all(found);
};

type Known = {
  readonly metric: Metric;
  readonly memory: CanaryMemory;
  readonly jobs: ReadonlyMap<string, Job>;
};

const checksOf = async (
  deployment: Deployment,
  { metric, memory, jobs }: Known,
  pass: Pass,
): Promise<Checks> => {
  const runs: Job[] = [];
  const nextName = () => nameOfCheck(deployment, metric.name, memory, runs.length);
  for (let job = jobs.get(nextName()); job !== undefined; job = jobs.get(nextName())) {
    runs.push(job);
  }
  const states: { readonly at: number; readonly state: CheckState }[] = [];
  for (const job of runs) states.push({ at: begunAt(job), state: await stateOf(job, pass) });
  const pending = states.flatMap(({ state }) => (state.isOver ? [] : [state.words]))[0];
  const measurements = states.flatMap(({ at, state }) =>
    state.isOver ? [{ at, reading: state.reading }] : [],
  );
  const latestAt = states.at(-1)?.at;
  return { metric, measured: { measurements, pending }, next: runs.length, latestAt };
};

const begunAt = ({ metadata }: Job): number => Date.parse(metadata.creationTimestamp ?? '') || 0;

/** Till then a Job may well have no pod, or one that pulls its image. */
const STARTS_WITHIN_MS = 15_000;

/** Pods are read only where the Job alone does not say how it stands. */
const stateOf = async (job: Job, pass: Pass): Promise<CheckState> => {
  const isFine = statusCondition(job.status?.conditions, 'Complete')?.status === 'True';
  const isNew = !hasEnded(job) && pass.now.getTime() - begunAt(job) < STARTS_WITHIN_MS;
  if (isFine || isNew) return checkState({ job, pods: [], events: [] });
  const { name, namespace = '', uid = '' } = job.metadata;
  const labelSelector = `batch.kubernetes.io/job-name=${name}`;
  const { items: pods } = await pass.live.list<Pod>(POD, { namespace, labelSelector, limit: 20 });
  if (pods.length > 0) return checkState({ job, pods, events: [] });
  const fieldSelector = `involvedObject.uid=${uid}`;
  const page = await pass.live.list<ClusterEvent>(CORE_EVENT, {
    ...{ namespace, fieldSelector, limit: 100 },
  });
  return checkState({ job, pods, events: page.items });
};
