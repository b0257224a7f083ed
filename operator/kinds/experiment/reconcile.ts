import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import { experiment as definition, type Experiment } from '../../../crds/schema/experiment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { JOB, POD, SERVICE } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Outcome, Pass, Reconciler, Watch } from '../../runtime/reconciler.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import type { RunPorts } from '../ports.ts';
import { refusalOf } from '../refusal.ts';
import { trialJob, trialName } from './children.ts';
import {
  asBefore,
  cannotStart,
  complete,
  failed,
  hasEnded,
  jobExpiresInMs,
  jobRefused,
  missingMetric,
  notRegistered,
  obstacleOf,
  registering,
  storeUnavailable,
  underWay,
  type Result,
} from './decide.ts';
import { finalize } from './finalize.ts';
import { MODEL, MODEL_ALIAS, MODEL_VERSION, registerRun } from './registration.ts';
import type { Run } from './run-store.ts';
import { reconcileSearch, sweepAfterEnd } from './search.ts';
import {
  endTraining,
  failedEnd,
  FOLLOW_MS,
  followTraining,
  reportsByLog,
} from './single-training.ts';
import type { Seen } from './search-trial.ts';
import { StatusPace } from './status-pace.ts';
import { isSearch } from './study.ts';
import { lacksPods } from './node-pods.ts';
import { meetingPlace, withoutMeetingPlace } from './node-service.ts';
import { StudySweep } from './study-sweep.ts';
import { fillTemplate } from './template.ts';
import { eventsOf, findJob, startOf } from './trial-jobs.ts';
import { JOB_SET, TRAIN_JOB } from './trial-kinds.ts';
import { kindMissing, trialPass } from './trial-pass.ts';
import { endedWithoutJob, trialState, type TrialState } from './trial-state.ts';
import type { TrialEnd } from './trial-store.ts';

export const experimentReconciler = (ports: RunPorts): Reconciler<Experiment> => ({
  type: ownType(definition),
  fieldManager: 'mlops-experiment',
  owns: [JOB, JOB_SET, TRAIN_JOB, SERVICE],
  metadataOnly: [SERVICE],
  watches: [
    wakesExperimentOfPod,
    wakesExperimentOfVersion,
    { type: MODEL, keysFor: () => [] },
    { type: MODEL_ALIAS, keysFor: () => [] },
  ],
  permissions: [
    ...[JOB, JOB_SET, TRAIN_JOB].map(({ group, plural }) => ({
      ...{ apiGroups: [group], resources: [plural], verbs: ['create', 'patch', 'delete'] },
    })),
    { apiGroups: [''], resources: ['services'], verbs: ['create', 'patch', 'delete'] },
    { apiGroups: [''], resources: ['events'], verbs: ['list'] },
    { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
    {
      apiGroups: [MODEL.group],
      resources: [MODEL.plural, MODEL_VERSION.plural, MODEL_ALIAS.plural],
      verbs: ['create', 'patch'],
    },
  ],
  finalizer: 'mlops.pynomaly.io/runs',
  // One that a tracking client made runs nothing, and may have runs all the same.
  needsFinalizer: ({ metadata, spec, status }) =>
    !spec.suspend ||
    (status?.trials ?? 0) > 0 ||
    metadata.annotations?.[ANNOTATIONS.mlflowTags] !== undefined,
  reconcile: pacedPasses(ports),
  finalize: async (experiment, pass) =>
    finalize(experiment, await trialPass(experiment, pass, ports.children), ports),
});

/** A search would write its status at every end of a trial. */
const pacedPasses = (ports: RunPorts): Reconciler<Experiment>['reconcile'] => {
  const pace = new StatusPace();
  const studies = new StudySweep();
  return async (experiment, pass) => {
    if (isSearch(experiment)) await studies.run(pass, ports.search);
    const seen = await trialPass(experiment, pass, ports.children);
    const outcome = await withoutMeetingPlace(await reconcile(experiment, seen, ports), pass);
    return isSearch(experiment) ? pace.limit(experiment, outcome, pass.now) : outcome;
  };
};

const reconcile = async (experiment: Experiment, pass: Pass, ports: RunPorts): Promise<Outcome> => {
  if (hasEnded(experiment)) return afterEnd(experiment, pass);
  const obstacle = obstacleOf(experiment);
  if (obstacle !== undefined) return obstacle;
  const missing = kindMissing(experiment, pass);
  if (missing !== undefined) return missing;
  try {
    if (isSearch(experiment)) return await reconcileSearch(experiment, pass, ports);
    const nowhere = await meetingPlace(experiment, pass);
    if (nowhere !== undefined) return cannotStart(experiment, nowhere.reason, nowhere.message);
    // The row comes first: a trial that cannot be recorded is not started.
    const run = await ports.runs.createTrial(trialRow(experiment));
    return await withRun(experiment, run, pass, ports);
  } catch (error) {
    if (hasCode(error, 'DatabaseUnavailable')) return storeUnavailable(experiment, error);
    // It is being deleted, and this pass does not see that yet.
    if (hasCode(error, 'ExperimentClosed')) return asBefore(experiment, BEHIND_MS);
    throw error;
  }
};

const trialRow = (experiment: Experiment) => ({
  experiment: {
    uid: experiment.metadata.uid,
    namespace: experiment.metadata.namespace,
    name: experiment.metadata.name,
  },
  number: 0,
  parameters: {},
  name: trialName(experiment, 0),
});

/** How long a cache that is behind may take to catch up before it is asked again. */
const BEHIND_MS = 5_000;

/** Told by its code, so that no kind depends on the room of the database. */
const hasCode = (error: unknown, code: string): error is Error =>
  error instanceof Error && 'code' in error && error.code === code;

const withRun = async (
  experiment: Experiment,
  run: Run,
  pass: Pass,
  ports: RunPorts,
): Promise<Outcome> => {
  const filled = fillTemplate(experiment, trialName(experiment, 0), run.params);
  if ('fault' in filled) return jobRefused(experiment, 'InvalidTemplate', filled.fault);
  const wanted = trialJob(experiment, { number: 0, runId: run.runId }, filled.spec, ports.children);
  const known = await findJob(wanted, pass);
  const ended = known === undefined ? endedWithoutJob(experiment, run) : undefined;
  if (ended !== undefined) return afterTrial(experiment, run, { trial: ended }, { pass, ports });
  let job = known;
  try {
    job ??= await startJob(wanted, pass);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return jobRefused(experiment, refusal.reason, refusal.words);
  }
  const { trial, pods } = await observeTrial(job, pass);
  const seen = { job, pods };
  if (run.status === 'SCHEDULED' && trial.state !== 'queued')
    await ports.runs.startRun(run.runId, startOf(job, pass));
  await followTraining(experiment, run, { seen, state: trial.state }, ports);
  return afterTrial(experiment, run, { trial, seen }, { pass, ports });
};

const startJob = async (wanted: Job, pass: Pass): Promise<Job> => {
  const job = await pass.ensure<Job>(JOB, wanted);
  pass.event('Normal', 'TrialStarted', `Started the training as Job ${job.metadata.name}.`);
  return job;
};

const observeTrial = async (job: Job, pass: Pass) => {
  const pods = pass
    .cachedList<Pod>(POD)
    .filter(({ metadata }) =>
      metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid),
    );
  const events = lacksPods(job, pods) ? await eventsOf(job, pass) : [];
  return { trial: trialState({ job, pods, events }), pods };
};

type Means = { readonly pass: Pass; readonly ports: RunPorts };

/** Without what was seen of it, its Job is gone. */
type Observed = { readonly trial: TrialState; readonly seen?: Seen };

const afterTrial = async (
  experiment: Experiment,
  run: Run,
  { trial, seen }: Observed,
  { pass, ports }: Means,
): Promise<Outcome> => {
  switch (trial.state) {
    case 'starting':
    case 'queued':
    case 'refused':
      return underWay(experiment, trial, pass.now);
    case 'running': {
      const outcome = underWay(experiment, trial, pass.now);
      return reportsByLog(experiment) ? { ...outcome, requeueAfterMs: FOLLOW_MS } : outcome;
    }
    case 'failed': {
      const at = endOf(trial, pass);
      const end = await failedEnd(experiment, trial.message, seen, { pass, ports });
      await endTraining({ experiment, run, at }, end, ports);
      return failed({ experiment, run, at }, 'TrialFailed', trial.message);
    }
    case 'succeeded': {
      const at = endOf(trial, pass);
      // Read again: what was logged between the first reading and the end counts.
      const finished = (await ports.runs.getRun(run.runId)) ?? run;
      return afterSuccess({ experiment, run: finished, at }, { pass, ports });
    }
  }
};

const endOf = ({ at }: { readonly at: string | undefined }, { now }: Pass): Date =>
  at === undefined ? now : new Date(at);

const afterSuccess = async (result: Result, { pass, ports }: Means): Promise<Outcome> => {
  const { experiment, run } = result;
  const missing = missingMetric(experiment, run);
  const end = { phase: 'complete', values: objectiveOf(result) } as const;
  await endTraining(result, missing === undefined ? end : missed(missing), ports);
  if (missing !== undefined) return failed(result, 'MetricMissing', missing);
  const { register } = experiment.spec;
  if (register === undefined) return complete(result, undefined);
  const registration = await registerRun({ experiment, register, run }, pass, ports);
  switch (registration.state) {
    case 'refused':
      return notRegistered(result, registration.reason, registration.message);
    case 'waiting':
      return registering(result, registration.message, registration);
    case 'done':
      return complete(result, registration);
  }
};

const missed = (message: string): TrialEnd => ({
  phase: 'failed',
  reason: 'MetricMissing',
  message,
});

const objectiveOf = ({ experiment, run }: Result): readonly number[] =>
  run.metrics
    .filter(({ key }) => key === experiment.spec.objective?.objectiveMetricName)
    .map(({ value }) => value)
    .filter(Number.isFinite);

/** What has ended stays as it is; only its Job goes when its time is up. */
const afterEnd = async (experiment: Experiment, pass: Pass): Promise<Outcome> => {
  if (isSearch(experiment)) return asBefore(experiment, await sweepAfterEnd(experiment, pass));
  const job = pass.owned<Job>(JOB).find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const expiresInMs = job === undefined ? undefined : jobExpiresInMs(experiment, pass.now);
  if (job === undefined || expiresInMs !== 0) return asBefore(experiment, expiresInMs);
  await pass.delete(JOB, job);
  return asBefore(experiment, undefined);
};

const wakesExperimentOfPod: Watch = {
  type: POD,
  labelSelector: LABELS.experiment,
  keysFor: ({ metadata }) => {
    const name = metadata.labels?.[LABELS.experiment];
    return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
  },
};

const wakesExperimentOfVersion: Watch = {
  type: MODEL_VERSION,
  keysFor: (object) => {
    const { metadata, spec } = object as ModelVersion;
    const name = spec.source?.experimentRef?.name;
    return name === undefined ? [] : [{ namespace: metadata.namespace, name }];
  },
};
