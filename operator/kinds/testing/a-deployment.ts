import type { Deployment } from '../../../crds/schema/deployment.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { API_VERSION, type ObjectMeta } from '../../../crds/schema/resource.ts';
import type { AppsDeployment, Pod, ReplicaSet } from '../kubernetes-objects.ts';
import { meta } from './builders.ts';

type Predictor = Deployment['spec']['predictor'];
type Parts = Partial<Omit<Deployment['spec'], 'predictor'>> & {
  readonly predictor?: Partial<Predictor>;
};

/** `digits`: follows alias champion of Model digits on one pod. */
export const aDeployment = (
  { predictor, ...spec }: Parts = {},
  metadata: Partial<ObjectMeta> = {},
): Deployment => ({
  apiVersion: API_VERSION,
  kind: 'Deployment',
  metadata: meta('digits', metadata),
  spec: {
    predictor: {
      model: { modelRef: { name: 'digits' }, alias: 'champion' },
      timeout: '30s',
      containerConcurrency: 64,
      ...predictor,
    },
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    ...spec,
  },
});

const templateOf = (version: string): AppsDeployment['spec']['template'] => ({
  metadata: {
    labels: {
      [LABELS.deployment]: 'digits',
      [LABELS.variant]: 'stable',
      [LABELS.modelVersion]: `digits-${version}`,
    },
    annotations: { 'mlops.pynomaly.io/version': version },
  },
  spec: { containers: [{ name: 'serving' }] },
});

const owner = (kind: string, uid: string) => [
  {
    apiVersion: kind === 'Deployment' ? API_VERSION : 'apps/v1',
    kind,
    name: 'digits',
    uid,
    controller: true,
  },
];

/** The apps Deployment as the cluster has it: `version` in its template, revision 1. */
export const anAppsDeployment = (
  version: string,
  status: AppsDeployment['status'] = {},
  more: { readonly annotations?: Record<string, string>; readonly replicas?: number } = {},
): AppsDeployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    ...meta('digits', { uid: 'uid-of-apps' }),
    annotations: { 'deployment.kubernetes.io/revision': '1', ...more.annotations },
    ownerReferences: owner('Deployment', 'uid-of-digits'),
  },
  spec: { replicas: more.replicas ?? 1, template: templateOf(version) },
  status: { observedGeneration: 1, ...status },
});

export const allServing = (pods = 1): AppsDeployment['status'] => ({
  replicas: pods,
  updatedReplicas: pods,
  readyReplicas: pods,
  availableReplicas: pods,
});

export const aReplicaSet = (version: string, ready: number, revision = '1'): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    ...meta(`digits-${revision}`),
    labels: {
      [LABELS.deployment]: 'digits',
      [LABELS.variant]: 'stable',
      'pod-template-hash': `hash-${revision}`,
    },
    annotations: { 'deployment.kubernetes.io/revision': revision },
  },
  spec: { replicas: ready, template: templateOf(version) },
  status: { replicas: ready, readyReplicas: ready },
});

/** A pod of that revision whose runtime left these last words. */
export const aBrokenPod = (message: object | string, revision = '1'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...meta(`digits-${revision}-x`),
    labels: {
      [LABELS.deployment]: 'digits',
      [LABELS.variant]: 'stable',
      'pod-template-hash': `hash-${revision}`,
    },
  },
  status: {
    containerStatuses: [
      {
        name: 'serving',
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: {
          terminated: {
            exitCode: 1,
            message: typeof message === 'string' ? message : JSON.stringify(message),
          },
        },
      },
    ],
  },
});
