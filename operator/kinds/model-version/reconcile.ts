import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { model } from '../../../crds/schema/model.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { parseStorageUri } from '../../artifacts/locations.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Outcome, Pass, Reconciler, Watch } from '../../runtime/reconciler.ts';
import { keyOf } from '../../runtime/resource-type.ts';
import type { Pod } from '../kubernetes-objects.ts';
import { holderOf, modelKeyOf, readyRivalOf, sameVersion, versionsOf } from '../model-versions.ts';
import { labelValue } from '../names-of-children.ts';
import { isFailure, runtimeReport } from '../pod-report.ts';
import type { StoragePorts } from '../ports.ts';
import { decide, isVerified, whileReading, type Observation, type Step } from './decide.ts';
import { finalize, ownsItsBytes } from './finalize.ts';
import { judge } from './judge.ts';
import { ReadLater, readBundled } from './read-bundled.ts';
import { readInPod } from './read-in-pod.ts';

const MODEL = ownType(model);
const MODEL_VERSION = ownType(modelVersion);

export const modelVersionReconciler = (ports: StoragePorts): Reconciler<ModelVersion> => ({
  type: MODEL_VERSION,
  fieldManager: 'mlops-modelversion',
  owns: [JOB],
  watches: [wakesVersionsOfModel, wakesRivals, wakesVersionOfPod],
  permissions: [
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'patch', 'delete'] },
    { apiGroups: [''], resources: ['events'], verbs: ['list'] },
  ],
  finalizer: 'mlops.pynomaly.io/artifact',
  needsFinalizer: (version) => ownsItsBytes(version, ports.children.bucket),
  reconcile: async (version, pass) =>
    act(decide(observe(version, pass, ports)), version, pass, ports),
  finalize: (version, pass) => finalize(version, pass, ports),
});

const observe = (version: ModelVersion, pass: Pass, { children }: StoragePorts): Observation => {
  const model = modelKeyOf(version);
  const siblings = versionsOf(pass.cachedList<ModelVersion>(MODEL_VERSION), model);
  return {
    version,
    modelExists: pass.cached(MODEL, model) !== undefined,
    holder: holderOf(siblings, version.spec.version),
    rival: readyRivalOf(siblings, version),
    location: parseStorageUri(version.spec.storageUri, {
      namespace: version.metadata.namespace,
      bucket: children.bucket,
      ownCredentials: version.spec.secretRef !== undefined,
    }),
    complaint: complaintOf(version, pass.cachedList<Pod>(POD)),
  };
};

const complaintOf = (version: ModelVersion, pods: readonly Pod[]): Observation['complaint'] => {
  const complaining = pods
    .filter(({ metadata }) => isServing(metadata.labels, version))
    .filter(findsOtherBytes);
  const newest = complaining.toSorted((a, b) => (ageOf(a) < ageOf(b) ? 1 : -1))[0];
  return newest === undefined ? undefined : { podUid: newest.metadata.uid ?? newest.metadata.name };
};

const isServing = (labels: Pod['metadata']['labels'], version: ModelVersion): boolean =>
  labels?.[LABELS.deployment] !== undefined &&
  labels[LABELS.modelVersion] === labelValue(version.metadata.name);

const findsOtherBytes = (pod: Pod): boolean => {
  const report = runtimeReport(pod);
  return isFailure(report) && report.reason === 'DigestMismatch';
};

const ageOf = ({ metadata }: Pod): string =>
  `${metadata.creationTimestamp ?? ''} ${metadata.uid ?? ''}`;

const act = async (
  step: Step,
  version: ModelVersion,
  pass: Pass,
  ports: StoragePorts,
): Promise<Outcome> => {
  switch (step.do) {
    case 'tell':
      if (isVerified(version)) await removeInspections(pass);
      return step.outcome;
    case 'read':
      return read(step, version, pass, ports);
    case 'read-in-pod':
      return readInPod(step, version, pass, ports);
  }
};

/** Their result stands in status now. */
const removeInspections = async (pass: Pass): Promise<void> => {
  for (const job of pass.owned(JOB)) await pass.delete(JOB, job);
};

const read = (
  { id, location, expected }: Extract<Step, { do: 'read' }>,
  version: ModelVersion,
  pass: Pass,
  { artifacts, children }: StoragePorts,
): Outcome => {
  const request = {
    location,
    expected,
    uri: version.spec.storageUri,
    format: version.spec.modelFormat.name,
    maxBytes: children.maxModelBytes,
  };
  const state = pass.background(id, (signal) => readBundled(artifacts, request, signal));
  switch (state.state) {
    case 'running':
      return whileReading(version, 'from the bundled store');
    case 'done':
      return judge(version, state.value, expected);
    case 'failed':
      if (state.error instanceof ReadLater) return judge(version, state.error.finding, expected);
      throw state.error;
  }
};

const wakesVersionsOfModel: Watch = {
  type: MODEL,
  keysFor: (object, lookup) => {
    const { namespace, name } = keyOf(object);
    return versionsOf(lookup.own<ModelVersion>(namespace), { namespace, name }).map(keyOf);
  },
};

/** Whoever waits for a version to become free. */
const wakesRivals: Watch = {
  type: MODEL_VERSION,
  keysFor: (object, lookup) => {
    const changed = object as ModelVersion;
    return versionsOf(lookup.own<ModelVersion>(changed.metadata.namespace), modelKeyOf(changed))
      .filter((each) => each.metadata.uid !== changed.metadata.uid)
      .filter((each) => sameVersion(each.spec.version, changed.spec.version))
      .map(keyOf);
  },
};

/** Serving pods, and the pods that inspect. */
const wakesVersionOfPod: Watch = {
  type: POD,
  labelSelector: LABELS.modelVersion,
  keysFor: (pod, lookup) => {
    const label = pod.metadata.labels?.[LABELS.modelVersion];
    return lookup
      .own<ModelVersion>(pod.metadata.namespace ?? '')
      .filter(({ metadata }) => labelValue(metadata.name) === label)
      .map(keyOf);
  },
};
