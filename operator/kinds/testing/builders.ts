import type { Condition } from '../../../crds/schema/conditions.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { Model } from '../../../crds/schema/model.ts';
import type { ObjectMeta } from '../../../crds/schema/resource.ts';
import { API_VERSION } from '../../../crds/schema/resource.ts';
import type { ChildDefaults } from '../ports.ts';

/** Objects of tests that many kinds refer to; a test states only what matters to it. */

export const DIGEST_A = `sha256:${'a'.repeat(64)}`;
export const DIGEST_B = `sha256:${'b'.repeat(64)}`;

export const meta = (name: string, more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name,
  namespace: 'demo',
  uid: `uid-of-${name}`,
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: '2026-03-01T10:00:00Z',
  ...more,
});

export const conditionOf = (
  type: string,
  status: Condition['status'],
  reason: string,
  message = '',
): Condition => ({ type, status, reason, message, lastTransitionTime: '2026-03-01T10:00:00Z' });

export const aModel = (name = 'digits', spec: Partial<Model['spec']> = {}): Model => ({
  apiVersion: API_VERSION,
  kind: 'Model',
  metadata: meta(name),
  spec,
});

type VersionParts = {
  readonly name?: string;
  readonly model?: string;
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<ModelVersion['spec']>;
  readonly status?: ModelVersion['status'];
};

/** `digits-<version>`, not judged yet. */
export const aVersion = (version = '1.0.0', parts: VersionParts = {}): ModelVersion => {
  const model = parts.model ?? 'digits';
  return {
    apiVersion: API_VERSION,
    kind: 'ModelVersion',
    metadata: meta(parts.name ?? `${model}-${version}`, parts.metadata),
    spec: {
      modelRef: { name: model },
      version,
      storageUri: `s3://mlops/demo/models/${model}/${version}/model.onnx`,
      modelFormat: { name: 'onnx' },
      deletionPolicy: 'Retain',
      ...parts.spec,
    },
    ...(parts.status === undefined ? {} : { status: parts.status }),
  };
};

/** Read and found good. */
export const aReadyVersion = (version = '1.0.0', parts: VersionParts = {}): ModelVersion =>
  aVersion(version, {
    ...parts,
    spec: { verification: { digest: DIGEST_A }, ...parts.spec },
    status: {
      digest: DIGEST_A,
      sizeBytes: 1234,
      conditions: [
        conditionOf('Ready', 'True', 'Ready'),
        conditionOf('ArtifactVerified', 'True', 'ArtifactVerified'),
      ],
      ...parts.status,
    },
  });

export const anAlias = (
  alias: string,
  version: string,
  spec: Partial<ModelAlias['spec']> = {},
): ModelAlias => {
  const modelRef = spec.modelRef ?? { name: 'digits' };
  return {
    apiVersion: API_VERSION,
    kind: 'ModelAlias',
    metadata: meta(`${modelRef.name}-${alias}`),
    spec: { modelRef, alias, version, pinned: false, ...spec },
  };
};

export const someDefaults = (more: Partial<ChildDefaults> = {}): ChildDefaults => ({
  servingImage: 'registry.example.com/serving:1',
  inspectImage: 'registry.example.com/serving:1',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  defaultResources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
  apiUrl: 'http://api.mlops-system.svc:8080',
  maxModelBytes: 1_000_000,
  bucket: 'mlops',
  allowPrivateHosts: [],
  ...more,
});
