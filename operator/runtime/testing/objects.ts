import type { OwnObject } from '../reconciler.ts';
import type { KubernetesObject, ResourceType } from '../resource-type.ts';

export const WIDGET: ResourceType = {
  group: 'example.io',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
};

export const widget = (
  name: string,
  metadata: Partial<KubernetesObject['metadata']> = {},
  spec: unknown = {},
): OwnObject => ({
  apiVersion: 'example.io/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'team', ...metadata },
  spec,
});

export const configMap = (
  name: string,
  data: Readonly<Record<string, string>> = {},
): KubernetesObject & { readonly data: Readonly<Record<string, string>> } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'team' },
  data,
});
