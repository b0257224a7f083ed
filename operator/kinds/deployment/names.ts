const prefix = 'mlops.pynomaly.io';

/** What the apps/v1 Deployment remembers for us, so that nothing hangs on our own status. */
export const MEMORY = {
  /** Name of the ModelVersion that last served all replicas. */
  lastGood: `${prefix}/last-good`,
  /** The attempt that failed, as JSON. */
  failed: `${prefix}/failed-attempt`,
  /** The number of pods we stated; without it the autoscaler states it. */
  replicas: `${prefix}/replicas`,
  /**
   * When pods that a quota refused were last asked for. The deployment controller hands annotations
   * on to the ReplicaSet, whose controller then tries at once; left alone, it waits up to 17 minutes.
   */
  askedAgain: `${prefix}/asked-again`,
  /** How far the rollout of a candidate has come, as JSON; on the candidate's own apps Deployment. */
  canary: `${prefix}/canary`,
  /** Names of the ModelVersions that served before, the latest first, as JSON. */
  served: `${prefix}/served`,
  /** On a VirtualService, the hash of what we wrote; on the budget, that of the route as last written. */
  route: `${prefix}/route`,
  /** Since when each variant that is no longer wanted gets no requests, as JSON. */
  leaving: `${prefix}/leaving`,
  /** On the pod template: the version, which a label cannot hold (build metadata has a plus). */
  version: `${prefix}/version`,
} as const;

/** Port of the serving runtime, and the one its Service answers on. */
export const SERVING_PORT = 8080;
export const SERVICE_PORT = 80;
/** gRPC, on pods and on their Service; Istio knows the protocol by the port's name. */
export const GRPC_PORT = 9000;

/** The pods that serve by default, whose names are the Deployment's own. */
export const STABLE = 'stable';
/** Those of a version that is coming up step by step. */
export const CANDIDATE = 'candidate';

/** Name of what belongs to the pods of a variant. */
export const nameOfVariant = (deployment: string, variant: string): string =>
  variant === STABLE ? deployment : `${deployment}-${variant}`;

/** The n-th try (from 1) of the Job of a gate, for what its key stands for; at most 63 characters. */
export const gateJobName = (deployment: string, key: string, attempt: number): string =>
  `${deployment}-gate-${key}-${attempt}`;

const GATE_JOB = /-gate-([0-9a-f]{8})-([1-9][0-9]{0,2})$/;

export const isGateJobName = (name: string): boolean => GATE_JOB.test(name);

export const gateJobOf = (
  name: string,
): { readonly key: string; readonly attempt: number } | undefined => {
  const [, key, attempt] = GATE_JOB.exec(name) ?? [];
  return key === undefined ? undefined : { key, attempt: Number(attempt) };
};
