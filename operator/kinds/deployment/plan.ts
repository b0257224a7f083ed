/** What a pass over a Deployment sees, and what it decides. */
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import { labelValue } from '../names-of-children.ts';
import type { Evidence } from './analysis.ts';
import type { Candidate } from './canary.ts';
import type { Checks } from './metrics/observe-checks.ts';
import type { FailedAttempt, Fleet, Progress } from './rollout.ts';
import type { VirtualService } from './routing.ts';
import type { Fault, Registry } from './target.ts';
import type { Trial } from './trial.ts';

export type Observation = Registry & {
  readonly deployment: Deployment;
  /** The stable pods. */
  readonly fleet: Fleet;
  /** Pods of a version that comes up, or leaves, step by step. */
  readonly candidate: Fleet;
  /** Pods of candidates of ABTests, by the candidate's name; those of tests that are over included. */
  readonly trials: ReadonlyMap<string, Fleet>;
  /** The ABTest that has given candidates a share of the units. */
  readonly test: ABTest | undefined;
  readonly traffic: TrafficPaths;
  /** What the candidate is judged by; undefined: it is not measured. Without what Jobs found out. */
  readonly evidence: Evidence | undefined;
  /** What Jobs found out about it. */
  readonly checks: readonly Checks[];
};

/** How requests are split. */
export type TrafficPaths = {
  /** Whether the cluster has Istio's VirtualServices. */
  readonly istio: boolean;
  readonly route: VirtualService | undefined;
  /** The budget for disruptions, which remembers what was written. */
  readonly budget: Pick<KubernetesObject, 'metadata'> | undefined;
};

/** Which version the pods are to run, and why. */
export type Plan = {
  readonly progress: Progress;
  /** What the spec asks for, if it can be found. */
  readonly wanted: ModelVersion | undefined;
  /** What the stable pods' template is to hold; undefined: leave what is there. */
  readonly target: ModelVersion | undefined;
  readonly lastGood: string | undefined;
  /** Names of the ModelVersions that served before, as label values, the latest first. */
  readonly served: readonly string[];
  readonly failed: FailedAttempt | undefined;
  /** Set while the cluster refuses pods: a new value makes it try again. */
  readonly askedAgain: string | undefined;
  /** The number of stable pods we state; undefined: the autoscaler does. */
  readonly replicas: number | undefined;
  readonly situation: Situation;
  /** The version that comes up beside the stable one. */
  readonly candidate: Candidate | undefined;
  /** The candidates of an ABTest beside the stable one, which is its control. */
  readonly trial: Trial | undefined;
};

export type Situation =
  /** The wanted version is in the template, or goes into it now. */
  | { readonly is: 'following' }
  /** The wanted version comes up beside the one that serves. */
  | { readonly is: 'canary' }
  /** There is nothing (new) to roll to; what serves goes on. */
  | { readonly is: 'unresolved'; readonly fault: Fault }
  /** The wanted version failed, and the last good one is in its place. */
  | { readonly is: 'rolled-back'; readonly justNow: boolean }
  /** The wanted version failed, and there is no other. */
  | { readonly is: 'failed' };

/** Labels are compared with labels: a long name is shortened there. */
export const isNamed =
  (label: string | undefined) =>
  ({ metadata }: ModelVersion): boolean =>
    labelValue(metadata.name) === label;

/** What is so after the plan was carried out, for the status. */
export type Carried = {
  /** The stable pods as written. */
  readonly fleet: Fleet;
  readonly candidate: Fleet;
  readonly trials: ReadonlyMap<string, Fleet>;
  /** Whether a route splits the requests; else the number of pods does. */
  readonly isRouted: boolean;
  /** Why a host of ours is not routed. */
  readonly hostTaken: string | undefined;
  readonly lookAgainMs: number | undefined;
  /** Why the Job of a metric cannot be begun. */
  readonly checkRefused?: string | undefined;
};
