import { ANNOTATIONS } from '../../../crds/schema/names.ts';
import { experiment as definition, type Experiment } from '../../../crds/schema/experiment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Outcome, Pass, Reconciler, Watch } from '../../runtime/reconciler.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import type { RunPorts } from '../ports.ts';
import { refusalOf } from '../refusal.ts';
import { trialJob, trialName } from './children.ts';
import {
  asBefore,
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
import { StatusPace } from './status-pace.ts';
import { isSearch } from './study.ts';
import { StudySweep } from './study-sweep.ts';
import { fillTemplate } from './template.ts';
import { eventsOf, findJob, startOf } from './trial-jobs.ts';
import { endedWithoutJob, trialState, type TrialState } from './trial-state.ts';

export const experimentReconciler = (ports: RunPorts): Reconciler<Experiment> => ({
  type: ownType(definition),
  fieldManager: 'mlops-experiment',
  owns: [JOB],
  watches: [
    wakesExperimentOfPod,
    wakesExperimentOfVersion,
    { type: MODEL, keysFor: () => [] },
    { type: MODEL_ALIAS, keysFor: () => [] },
  ],
  permissions: [
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'patch', 'delete'] },
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
  finalize: (experiment, pass) => finalize(experiment, pass, ports),
});

/** A search would write its status at every end of a trial. */
const pacedPasses = (ports: RunPorts): Reconciler<Experiment>['reconcile'] => {
  const pace = new StatusPace();
  const studies = new StudySweep();
  return async (experiment, pass) => {
    if (isSearch(experiment)) await studies.run(pass, ports.search);
    const outcome = await reconcile(experiment, pass, ports);
    return isSearch(experiment) ? pace.limit(experiment, outcome, pass.now) : outcome;
  };
};

const reconcile = async (experiment: Experiment, pass: Pass, ports: RunPorts): Promise<Outcome> => {
  if (hasEnded(experiment)) return afterEnd(experiment, pass);
  const obstacle = obstacleOf(experiment);
  if (obstacle !== undefined) return obstacle;
  try {
    if (isSearch(experiment)) return await reconcileSearch(experiment, pass, ports);
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
  const ended = known === undefined ? endedWithoutJob(run) : undefined;
  if (ended !== undefined) return afterTrial(experiment, run, ended, { pass, ports });
  let job = known;
  try {
    job ??= await startJob(wanted, pass);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return jobRefused(experiment, refusal.reason, refusal.words);
  }
  const state = await observeTrial(job, pass);
  if (run.status === 'SCHEDULED') await ports.runs.startRun(run.runId, startOf(job, pass));
  return afterTrial(experiment, run, state, { pass, ports });
};

const startJob = async (wanted: Job, pass: Pass): Promise<Job> => {
  const job = await pass.ensure<Job>(JOB, wanted);
  pass.event('Normal', 'TrialStarted', `Started the training as Job ${job.metadata.name}.`);
  return job;
};

const observeTrial = async (job: Job, pass: Pass): Promise<TrialState> => {
  const pods = pass
    .cachedList<Pod>(POD)
    .filter(({ metadata }) =>
      metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid),
    );
  const events = pods.length === 0 ? await eventsOf(job, pass) : [];
  return trialState({ job, pods, events });
};

type Means = { readonly pass: Pass; readonly ports: RunPorts };

const afterTrial = async (
  experiment: Experiment,
  run: Run,
  trial: TrialState,
  { pass, ports }: Means,
): Promise<Outcome> => {
  switch (trial.state) {
    case 'starting':
    case 'refused':
    case 'running':
      return underWay(experiment, trial, pass.now);
    case 'failed': {
      const at = endOf(trial, pass);
      await ports.runs.finishRun(run.runId, 'FAILED', at.getTime());
      return failed({ experiment, run, at }, 'TrialFailed', trial.message);
    }
    case 'succeeded': {
      const at = endOf(trial, pass);
      await ports.runs.finishRun(run.runId, 'FINISHED', at.getTime());
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
