import type { KubernetesObject } from '../runtime/resource-type.ts';

/** The parts of Kubernetes' own types that reconcilers read or write; all else passes through. */

export type Labels = Readonly<Record<string, string>>;

export type Resources = {
  readonly requests?: Readonly<Record<string, string | number>>;
  readonly limits?: Readonly<Record<string, string | number>>;
};

export type EnvironmentVariable = {
  readonly name: string;
  readonly value?: string;
  readonly [field: string]: unknown;
};

export type VolumeMount = {
  readonly name: string;
  readonly mountPath: string;
  readonly [field: string]: unknown;
};

export type Volume = { readonly name: string; readonly [source: string]: unknown };

export type Container = {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly EnvironmentVariable[];
  readonly resources?: Resources;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly [field: string]: unknown;
};

export type PodSpec = {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
};

export type PodTemplate = {
  readonly metadata?: {
    readonly labels?: Labels;
    readonly annotations?: Labels;
    readonly [field: string]: unknown;
  };
  readonly spec: PodSpec;
};

export type Job = KubernetesObject & {
  readonly spec: { readonly template: PodTemplate; readonly [field: string]: unknown };
  readonly status?: {
    readonly active?: number;
    readonly succeeded?: number;
    readonly failed?: number;
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly conditions?: readonly StatusCondition[];
  };
};

/** A condition of a Kubernetes type of its own. */
export type StatusCondition = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
};

export type ContainerState = {
  readonly running?: { readonly startedAt?: string };
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
    readonly finishedAt?: string;
  };
};

export type ContainerStatus = {
  readonly name: string;
  readonly ready?: boolean;
  readonly imageID?: string;
  readonly restartCount?: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
};

export type Pod = KubernetesObject & {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly StatusCondition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
};

export type AppsDeployment = KubernetesObject & {
  readonly spec: {
    readonly replicas?: number;
    readonly template: PodTemplate;
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly StatusCondition[];
  };
};

/** autoscaling/v2 */
export type Autoscaler = KubernetesObject & {
  readonly status?: { readonly conditions?: readonly StatusCondition[] };
};

export type ReplicaSet = KubernetesObject & {
  readonly spec: { readonly replicas?: number; readonly template: PodTemplate };
  readonly status?: { readonly replicas?: number; readonly readyReplicas?: number };
};

/** An Event of core/v1, whose API can be asked for those of one object. */
export type ClusterEvent = KubernetesObject & {
  readonly reason?: string;
  readonly message?: string;
  readonly eventTime?: string | null;
  readonly lastTimestamp?: string | null;
};

export const statusCondition = (
  conditions: readonly StatusCondition[] | undefined,
  type: string,
): StatusCondition | undefined => conditions?.find((each) => each.type === type);
