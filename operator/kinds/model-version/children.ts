import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import type { Job, PodSpec } from '../kubernetes-objects.ts';
import { childName, labelValue, shortHash } from '../names-of-children.ts';
import type { ChildDefaults } from '../ports.ts';
import { restrictedPod } from '../restricted-pod.ts';
import type { ForeignLocation } from './decide.ts';

/** On an inspection's Job: which reading it is. */
export const READING_LABEL = 'mlops.pynomaly.io/reading';

/**
 * The Job that reads a version from storage which is not ours, in the user's own namespace, with
 * the same image and code that will load it. It holds no token and no credentials.
 */
export const inspectionJob = (
  version: ModelVersion,
  reading: {
    readonly id: string;
    readonly location: ForeignLocation;
    readonly expected: string | undefined;
  },
  defaults: ChildDefaults,
): Job => {
  const occasion = shortHash(reading.id);
  const labels = {
    'app.kubernetes.io/name': 'mlops-inspection',
    [LABELS.model]: version.spec.modelRef.name,
    [LABELS.modelVersion]: labelValue(version.metadata.name),
    [READING_LABEL]: occasion,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: childName(version.metadata.name, `inspect-${occasion}`),
      namespace: version.metadata.namespace,
      labels,
    },
    spec: {
      backoffLimit: 1,
      activeDeadlineSeconds: 1800,
      template: {
        metadata: { labels },
        spec: restrictedPod(inspectionPod(version, reading, defaults), defaults),
      },
    },
  };
};

const inspectionPod = (
  version: ModelVersion,
  { location, expected }: Parameters<typeof inspectionJob>[1],
  defaults: ChildDefaults,
): PodSpec => ({
  restartPolicy: 'Never',
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  containers: [
    {
      name: 'inspect',
      image: defaults.inspectImage,
      imagePullPolicy: defaults.imagePullPolicy,
      args: ['inspect'],
      env: [
        { name: 'MLOPS_MODEL_NAME', value: version.spec.modelRef.name },
        { name: 'MLOPS_MODEL_VERSION', value: version.spec.version },
        { name: 'MLOPS_MAX_MODEL_BYTES', value: String(defaults.maxModelBytes) },
        ...(expected === undefined ? [] : [{ name: 'MLOPS_MODEL_DIGEST', value: expected }]),
        sourceOf(location),
      ],
      volumeMounts: [
        { name: 'cache', mountPath: '/cache' },
        ...(location.scheme === 'pvc'
          ? [{ name: 'model', mountPath: '/model', readOnly: true }]
          : []),
      ],
    },
  ],
  volumes: [
    { name: 'cache', emptyDir: {} },
    ...(location.scheme === 'pvc'
      ? [{ name: 'model', persistentVolumeClaim: { claimName: location.claim, readOnly: true } }]
      : []),
  ],
});

const sourceOf = (location: ForeignLocation) =>
  location.scheme === 'pvc'
    ? { name: 'MLOPS_MODEL_PATH', value: `/model/${location.path}` }
    : { name: 'MLOPS_MODEL_URL', value: location.url };
