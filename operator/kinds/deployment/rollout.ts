import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { FailureReason } from '../../../serving-runtime/protocol/termination-message.ts';
import {
  statusCondition,
  type AppsDeployment,
  type Autoscaler,
  type Pod,
  type ReplicaSet,
} from '../kubernetes-objects.ts';
import { isFailure, runtimeReport, troubleOf } from '../pod-report.ts';
import { shortHash } from '../names-of-children.ts';
import { askedAgainOf } from './memory.ts';
import { isGateJobName, MEMORY } from './names.ts';

/** An attempt to serve a version that came to nothing. */
export type FailedAttempt = {
  /** Name of the ModelVersion. */
  readonly modelVersion: string;
  readonly version: string;
  readonly reason: string;
  readonly message: string;
  /** RFC 3339 */
  readonly time: string;
  /** Fingerprint of what was tried: the version and the spec. */
  readonly what: string;
  /** Name of this very attempt; the annotation retry carries it to ask for another one. */
  readonly attempt: string;
};

/** The serving pods of a Deployment, as the cluster has them. */
export type Fleet = {
  readonly apps: AppsDeployment | undefined;
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
  /** As it was before this pass; undefined where there is none. */
  readonly autoscaler?: Autoscaler | undefined;
};

/** Bytes that are wrong now are wrong on the next try too; everything else may pass. */
const HOPELESS: readonly FailureReason[] = [
  'DigestMismatch',
  'InvalidModel',
  'TooLarge',
  'InvalidConfig',
];

export type Progress = {
  /** ModelVersion in the template; undefined before the first rollout. */
  readonly current: string | undefined;
  /** All wanted replicas run the template and serve. */
  readonly complete: boolean;
  readonly replicas: number;
  readonly updated: number;
  readonly available: number;
  /** The cluster refuses pods, in its words. */
  readonly refused: string | undefined;
  /** The template cannot come up, and why. */
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
};

/** What the apps Deployment, its newest ReplicaSet and that one's pods say together. */
export const progressOf = (fleet: Fleet): Progress => {
  const { apps } = fleet;
  const { wanted, replicas, updated, available } = countsOf(apps);
  const observed = isObserved(apps);
  const complete = observed && updated >= wanted && available >= wanted && replicas === updated;
  // Asking again is a write of ours; until it is observed, the refusal before it stands.
  const stands = observed || askedAgainOf(apps) !== undefined;
  return {
    current: modelVersionOf(apps),
    complete,
    replicas,
    updated,
    available,
    refused: stands && !complete ? refusedWords(apps) : undefined,
    failure: observed && !complete ? failureOf(fleet) : undefined,
  };
};

const countsOf = (apps: AppsDeployment | undefined) => {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = apps?.status ?? {};
  return {
    wanted: apps?.spec.replicas ?? 1,
    replicas,
    updated: updatedReplicas,
    available: availableReplicas,
  };
};

/** Pods of the version in the template; those of the one before may still be on their way out. */
export const podsOfTemplate = ({ apps, pods }: Fleet): readonly Pod[] =>
  pods.filter(({ metadata }) => metadata.labels?.[LABELS.modelVersion] === modelVersionOf(apps));

/** Label value of the ModelVersion in a pod template. */
const modelVersionOf = (object: AppsDeployment | ReplicaSet | undefined): string | undefined =>
  object?.spec.template.metadata?.labels?.[LABELS.modelVersion];

/** Until the deployment controller has seen our last write, its status speaks of the one before. */
const isObserved = (apps: AppsDeployment | undefined): boolean =>
  apps !== undefined && (apps.status?.observedGeneration ?? 0) >= (apps.metadata.generation ?? 1);

const refusedWords = (apps: AppsDeployment | undefined): string | undefined => {
  const condition = statusCondition(apps?.status?.conditions, 'ReplicaFailure');
  return condition?.status === 'True' ? (condition.message ?? condition.reason) : undefined;
};

const REVISION = 'deployment.kubernetes.io/revision';
const TEMPLATE_HASH = 'pod-template-hash';

const failureOf = ({ apps, replicaSets, pods }: Fleet): Progress['failure'] => {
  const newest = replicaSets.find(
    ({ metadata }) =>
      metadata.annotations?.[REVISION] !== undefined &&
      metadata.annotations[REVISION] === apps?.metadata.annotations?.[REVISION],
  );
  if (newest === undefined || modelVersionOf(newest) !== modelVersionOf(apps)) return undefined;
  const hash = newest.metadata.labels?.[TEMPLATE_HASH];
  const its = pods.filter(({ metadata }) => metadata.labels?.[TEMPLATE_HASH] === hash);
  return hopelessReport(its) ?? deadline(apps, its);
};

const hopelessReport = (pods: readonly Pod[]): Progress['failure'] => {
  for (const pod of pods) {
    const report = runtimeReport(pod);
    if (!isFailure(report) || !HOPELESS.includes(report.reason)) continue;
    const digests =
      report.expected === undefined || report.actual === undefined
        ? ''
        : ` (expected ${report.expected}, found ${report.actual})`;
    return {
      reason: report.reason,
      message: `pod ${pod.metadata.name}: ${report.message}${digests}`.slice(0, 1500),
    };
  }
  return undefined;
};

const deadline = (apps: AppsDeployment | undefined, pods: readonly Pod[]): Progress['failure'] => {
  const progressing = statusCondition(apps?.status?.conditions, 'Progressing');
  if (progressing?.reason !== 'ProgressDeadlineExceeded') return undefined;
  const trouble = pods
    .map((pod) => wordsOf(pod) ?? troubleOf(pod))
    .find((each) => each !== undefined);
  return {
    reason: 'ProgressDeadlineExceeded',
    message:
      `not ready within spec.progressDeadlineSeconds${trouble === undefined ? '' : `: ${trouble}`}`.slice(
        0,
        1500,
      ),
  };
};

const wordsOf = (pod: Pod): string | undefined => {
  const report = runtimeReport(pod);
  return isFailure(report)
    ? `pod ${pod.metadata.name}: ${report.reason}: ${report.message}`
    : undefined;
};

/** What an attempt tries: a version with a spec, but for the number of pods and how it got here. */
export const subjectOf = (deployment: Deployment, wantedName: string): string => {
  const { promotion: _from, ...spec } = deployment.spec;
  const { replicas: _r, minReplicas: _min, maxReplicas: _max, ...predictor } = spec.predictor;
  return shortHash(JSON.stringify([wantedName, { ...spec, predictor }]));
};

/** The name of an attempt: a retry of the same thing is another attempt. */
export const attemptOf = (deployment: Deployment, wantedName: string): string =>
  shortHash(`${subjectOf(deployment, wantedName)} ${retryOf(deployment) ?? ''}`);

/** A retry of a rollout; one that names the Job of a gate is none. */
export const retryOf = ({ metadata }: Deployment): string | undefined => {
  const retry = metadata.annotations?.[ANNOTATIONS.retry];
  return retry === undefined || isGateJobName(retry) ? undefined : retry;
};

export type Share = { readonly version: string; readonly ready: number; readonly name: string };

/** Ready pods by ModelVersion; the Service spreads requests evenly, so this is the traffic too. */
export const sharesOf = ({ replicaSets }: Pick<Fleet, 'replicaSets'>): readonly Share[] => {
  const shares = new Map<string, Share>();
  for (const { name, version, ready } of replicaSets.flatMap(shareOf)) {
    shares.set(name, { name, version, ready: ready + (shares.get(name)?.ready ?? 0) });
  }
  return [...shares.values()].toSorted((a, b) => b.ready - a.ready || (a.name < b.name ? -1 : 1));
};

const shareOf = (replicaSet: ReplicaSet): readonly Share[] => {
  const name = modelVersionOf(replicaSet);
  const ready = replicaSet.status?.readyReplicas ?? 0;
  if (name === undefined || ready === 0) return [];
  const annotations = replicaSet.spec.template.metadata?.annotations;
  return [{ name, version: annotations?.[MEMORY.version] ?? name, ready }];
};
