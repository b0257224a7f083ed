import type { ModelVersion } from '../../crds/schema/model-version.ts';
import type { EnvironmentVariable, Volume, VolumeMount } from './kubernetes-objects.ts';

/** What a pod of the serving image needs to find a model's bytes. */
export type PodSource = {
  readonly env: readonly EnvironmentVariable[];
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
};

const SECRET_DIRECTORY = '/var/run/secrets/mlops.pynomaly.io/storage';

/**
 * How a pod of the user's namespace reads bytes that are not in the bundled store: from a volume, from
 * an https address, or from a bucket with the Secret that `spec.secretRef` names, which only that pod
 * mounts. Undefined for the bundled store.
 */
export const foreignStorage = ({ spec }: Pick<ModelVersion, 'spec'>): PodSource | undefined => {
  const { storageUri, secretRef } = spec;
  const volume = /^pvc:\/\/([^/]+)\/(.+)$/.exec(storageUri);
  if (volume !== null) {
    const [, claimName = '', path = ''] = volume;
    return {
      env: [{ name: 'MLOPS_MODEL_PATH', value: `/model/${path}` }],
      volumes: [{ name: 'model', persistentVolumeClaim: { claimName, readOnly: true } }],
      mounts: [{ name: 'model', mountPath: '/model', readOnly: true }],
    };
  }
  if (storageUri.startsWith('https://')) {
    return { env: [{ name: 'MLOPS_MODEL_URL', value: storageUri }], volumes: [], mounts: [] };
  }
  if (secretRef === undefined) return undefined;
  return {
    env: [
      { name: 'MLOPS_MODEL_S3_URI', value: storageUri },
      { name: 'MLOPS_S3_CREDENTIALS_DIR', value: SECRET_DIRECTORY },
    ],
    volumes: [{ name: 'mlops-storage', secret: { secretName: secretRef.name } }],
    mounts: [{ name: 'mlops-storage', mountPath: SECRET_DIRECTORY, readOnly: true }],
  };
};
