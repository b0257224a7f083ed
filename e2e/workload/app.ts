import type { OwnObject } from '../../operator/runtime/reconciler.ts';
import type { ResourceType } from '../../operator/runtime/resource-type.ts';

/** The kind that benchmarks and fault cases work with; its CRD is apps.crd.yaml. */
export const APP: ResourceType = {
  group: 'bench.mlops.pynomaly.io',
  version: 'v1',
  kind: 'App',
  plural: 'apps',
  namespaced: true,
};

export type App = OwnObject & {
  readonly spec: { readonly value: string; readonly replicas?: number };
};
