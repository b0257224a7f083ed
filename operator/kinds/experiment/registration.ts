import { findCondition, isConditionTrue } from '../../../crds/schema/conditions.ts';
import type { Reason } from '../../../crds/schema/conditions.ts';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { modelAlias, type ModelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { model } from '../../../crds/schema/model.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { API_VERSION } from '../../../crds/schema/resource.ts';
import { modelFileKey } from '../../artifacts/locations.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import { isReady, versionsOf } from '../model-versions.ts';
import type { RunPorts } from '../ports.ts';
import { evaluateGate } from './gate.ts';
import {
  aliasName,
  aliasOf,
  freeVersion,
  planAlias,
  versionOfRun,
  type Register,
} from './register-plan.ts';
import { readRunArtifact, type RunArtifact } from './run-artifact.ts';
import type { Run } from './run-store.ts';
import type { Assignment } from './search-engine.ts';

export const MODEL = ownType(model);
export const MODEL_VERSION = ownType(modelVersion);
export const MODEL_ALIAS = ownType(modelAlias);

/** How far the way from a finished run to a version has come. */
export type Registration =
  | { readonly state: 'refused'; readonly reason: Reason; readonly message: string }
  | {
      readonly state: 'waiting';
      readonly message: string;
      readonly version?: string;
      readonly requeueAfterMs?: number;
    }
  | { readonly state: 'done'; readonly version: string; readonly note: string };

type Candidate = {
  readonly experiment: Experiment;
  readonly register: Register;
  readonly run: Run;
  /** Of a trial of a search: what it was drawn with. */
  readonly assignments?: readonly Assignment[];
};

/**
 * Makes the run a ModelVersion, exactly once, however often it is interrupted: the version that
 * carries the run's id is looked for first, in the cache and live; bytes are copied to a folder of
 * the run's own before the object that refers to them is created; the alias comes last.
 */
export const registerRun = async (
  candidate: Candidate,
  pass: Pass,
  ports: RunPorts,
): Promise<Registration> => {
  const { experiment, register, run } = candidate;
  const { namespace } = experiment.metadata;
  const foreign = namespaceRefusal(experiment);
  if (foreign !== undefined) return foreign;
  const gate = evaluateGate(register.when, run.metrics);
  if (!gate.passed) return { state: 'refused', reason: gate.reason, message: gate.message };
  const known = await versionMadeOf(run, namespace, pass);
  if (known !== undefined) return settleVersion(candidate, known, pass);
  return makeVersion(candidate, pass, ports);
};

/** A version is made beside its Experiment only. */
export const namespaceRefusal = ({ metadata, spec }: Experiment): Registration | undefined => {
  const namespace = spec.register?.modelRef.namespace;
  if (namespace === undefined || namespace === metadata.namespace) return undefined;
  return {
    state: 'refused',
    reason: 'NotShared',
    message: `spec.register.modelRef.namespace is ${namespace}: versions are registered in the Experiment's own namespace; leave the field out.`,
  };
};

const versionMadeOf = async (
  { runId }: Run,
  namespace: string,
  pass: Pass,
): Promise<ModelVersion | undefined> => {
  const cached = pass
    .cachedList<ModelVersion>(MODEL_VERSION)
    .find(({ metadata }) => metadata.labels?.[LABELS.runId] === runId);
  if (cached !== undefined) return cached;
  const live = await pass.live.list<ModelVersion>(MODEL_VERSION, {
    namespace,
    labelSelector: `${LABELS.runId}=${runId}`,
  });
  return live.items[0];
};

const makeVersion = async (
  candidate: Candidate,
  pass: Pass,
  ports: RunPorts,
): Promise<Registration> => {
  const { experiment, register, run } = candidate;
  const { namespace } = experiment.metadata;
  const place = { namespace, runId: run.runId, path: register.artifactPath, tags: run.tags };
  const reading = pass.background(`artifact:${run.runId}:${register.artifactPath}`, (signal) =>
    readRunArtifact(ports.artifacts, place, signal),
  );
  if (reading.state === 'failed') throw reading.error;
  if (reading.state === 'running') {
    return { state: 'waiting', message: `The artifact ${register.artifactPath} is being read.` };
  }
  if ('missing' in reading.value) {
    return { state: 'refused', reason: 'RegistrationFailed', message: reading.value.missing };
  }
  await ensureModel(register, namespace, pass);
  const all = (await pass.live.list<ModelVersion>(MODEL_VERSION, { namespace })).items;
  const version = freeVersion(
    register,
    versionsOf(all, { namespace, name: register.modelRef.name }),
    all.map(({ metadata }) => metadata.name),
  );
  const uri = await copyBytes(candidate, version, reading.value, ports);
  const { assignments } = candidate;
  const made = { version, uri, digest: reading.value.digest, ...(assignments && { assignments }) };
  const created = await pass.ensure<ModelVersion>(
    MODEL_VERSION,
    versionOfRun(experiment, register, run, made),
    { owned: false },
  );
  if (created.metadata.labels?.[LABELS.runId] !== run.runId) {
    return {
      state: 'waiting',
      message: `Version ${version} was taken by somebody else in the meantime; the next one is tried.`,
      requeueAfterMs: 1_000,
    };
  }
  pass.event(
    'Normal',
    'Registered',
    `Run ${run.runId} became version ${version} of Model ${register.modelRef.name} (ModelVersion ${created.metadata.name}).`,
  );
  return settleVersion(candidate, created, pass);
};

const ensureModel = async (
  { modelRef }: Register,
  namespace: string,
  pass: Pass,
): Promise<void> => {
  if (pass.cached(MODEL, { namespace, name: modelRef.name }) !== undefined) return;
  await pass.ensure(
    MODEL,
    {
      apiVersion: API_VERSION,
      kind: 'Model',
      metadata: { name: modelRef.name, namespace },
      spec: {},
    } as Parameters<Pass['ensure']>[1],
    { owned: false },
  );
};

/**
 * Copies inside the store, into a folder no other run writes to, so that two Experiments that reach
 * for the same version at once cannot overwrite each other's bytes. Repeating it changes nothing.
 */
const copyBytes = async (
  { experiment, register, run }: Candidate,
  version: string,
  artifact: RunArtifact,
  { artifacts, children }: RunPorts,
): Promise<string> => {
  const name = { namespace: experiment.metadata.namespace, model: register.modelRef.name, version };
  for (const { path, key } of artifact.files) {
    await artifacts.copy(key, modelFileKey(name, `${run.runId}/${path}`));
  }
  const folder = `s3://${children.bucket}/${modelFileKey(name, run.runId)}/`;
  return artifact.folder ? folder : `${folder}${artifact.files[0]?.path ?? ''}`;
};

/** The version exists; the alias waits until it is known to be good. */
const settleVersion = async (
  { experiment, register }: Candidate,
  found: ModelVersion,
  pass: Pass,
): Promise<Registration> => {
  const { version } = found.spec;
  const name = found.metadata.name;
  if (!isReady(found)) {
    const why = findCondition(found.status?.conditions, 'Ready');
    const words = why === undefined ? '' : ` (${why.reason}: ${why.message})`;
    if (isConditionTrue(found.status?.conditions, 'Stalled')) {
      return {
        state: 'refused',
        reason: 'RegistrationFailed',
        message: `ModelVersion ${name} was made, but is not usable${words}.`,
      };
    }
    return {
      state: 'waiting',
      version,
      message: `ModelVersion ${name} was made and is being verified${words}.`,
    };
  }
  const aliased = await settleAlias(experiment, register, version, pass);
  return {
    state: 'done',
    version,
    note: `It is version ${version} of Model ${register.modelRef.name}.${aliased}`,
  };
};

const settleAlias = async (
  experiment: Experiment,
  register: Register,
  version: string,
  pass: Pass,
): Promise<string> => {
  const name = aliasName(register);
  const key = { namespace: experiment.metadata.namespace, name };
  const existing =
    register.alias === undefined ? undefined : await pass.live.get<ModelAlias>(MODEL_ALIAS, key);
  const plan = planAlias(register, version, existing);
  if (plan.do === 'nothing') return plan.note;
  const alias = aliasOf(experiment, register, version);
  if (plan.do === 'create') await pass.ensure(MODEL_ALIAS, alias, { owned: false });
  else await pass.apply(MODEL_ALIAS, alias, { owned: false });
  const words = plan.do === 'create' ? 'names' : `moved from ${existing?.spec.version ?? ''} to`;
  pass.event(
    'Normal',
    'AliasMoved',
    `Alias ${register.alias?.name ?? ''} ${words} version ${version}.`,
  );
  return ` Alias ${register.alias?.name ?? ''} ${words} it.`;
};
