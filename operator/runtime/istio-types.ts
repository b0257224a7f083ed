import type { ResourceType } from './resource-type.ts';

const type = (version: string, kind: string, plural: string): ResourceType => ({
  ...{ group: 'networking.istio.io', version, kind, plural, namespaced: true },
});

/** Istio's resources that reconcilers read or make; a cluster may not have them. */
export const VIRTUAL_SERVICE = type('v1', 'VirtualService', 'virtualservices');
export const GATEWAY = type('v1', 'Gateway', 'gateways');
export const ENVOY_FILTER = type('v1alpha3', 'EnvoyFilter', 'envoyfilters');
