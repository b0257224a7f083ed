import type { WatchEvent } from './cluster.ts';
import { apiVersionOf, type KubernetesObject, type ResourceType } from './resource-type.ts';

/** What to accept for objects with their metadata alone; a server that cannot do that sends them whole. */
export const acceptPartial = (kind: 'PartialObjectMetadataList' | 'PartialObjectMetadata') =>
  `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;

/** Apart from what it is, an object's metadata only. */
export const partialOf = ({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject => ({
  apiVersion,
  kind,
  metadata,
});

/** An object that came as PartialObjectMetadata, under its own kind; a whole one loses the rest. */
export const partialAs = (type: ResourceType, object: KubernetesObject): KubernetesObject => ({
  apiVersion: apiVersionOf(type),
  kind: type.kind,
  metadata: object.metadata,
});

/** The same for an event; bookmarks carry a version and nothing else. */
export const partialEvent = (type: ResourceType, event: WatchEvent): WatchEvent =>
  event.type === 'ERROR' ? event : { ...event, object: partialAs(type, event.object) };
