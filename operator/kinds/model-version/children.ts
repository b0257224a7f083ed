import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import type { Job, PodSpec } from '../kubernetes-objects.ts';
import { foreignStorage } from '../foreign-storage.ts';
import { childName, labelValue, shortHash } from '../names-of-children.ts';
import type { ChildDefaults } from '../ports.ts';
import { restrictedPod } from '../restricted-pod.ts';

/** On an inspection's Job: which reading it is. */
export const READING_LABEL = 'mlops.pynomaly.io/reading';

/**
 * The Job that reads a version from storage which is not ours, in the user's own namespace, with
 * the same image and code that will load it. It holds no token, and no credentials but the Secret that
 * `spec.secretRef` names.
 */
export const inspectionJob = (
  version: ModelVersion,
  reading: {
    readonly id: string;
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
  { expected }: Parameters<typeof inspectionJob>[1],
  defaults: ChildDefaults,
): PodSpec => {
  const source = foreignStorage(version) ?? { env: [], volumes: [], mounts: [] };
  return {
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
          ...source.env,
        ],
        volumeMounts: [{ name: 'cache', mountPath: '/cache' }, ...source.mounts],
      },
    ],
    volumes: [{ name: 'cache', emptyDir: {} }, ...source.volumes],
  };
};
