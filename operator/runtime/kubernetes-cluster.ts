import { HttpMethod, KubeConfig } from '@kubernetes/client-node';
import { ApiTransport, type ApiCallMetrics } from './api-transport.ts';
import {
  ApiError,
  isNotFound,
  type ApplyOptions,
  type Cluster,
  type DeleteOptions,
  type JsonPatchOperation,
  type ListOptions,
  type ObjectList,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from './cluster.ts';
import { jsonLines } from './json-lines.ts';
import { acceptPartial, partialAs, partialEvent } from './partial-metadata.ts';
import { POD } from './kubernetes-types.ts';
import type { LogOptions, PodLogs } from './pod-logs.ts';
import { collectionPath, objectPath } from './resource-path.ts';
import {
  keyOf,
  type KubernetesObject,
  type ObjectKey,
  type ResourceType,
} from './resource-type.ts';
import { noSpans, type Spans } from './spans.ts';
import { watchEvents } from './watch-event.ts';

export type { ApiCallMetrics } from './api-transport.ts';

/**
 * `Cluster` on the configuration, authentication and connections of @kubernetes/client-node:
 * tokens and certificates are re-read by it. The calls are made here because its own generic client
 * knows no status subresource and its watch swallows broken lines (decisions/0002).
 */
export class KubernetesCluster implements Cluster, PodLogs {
  readonly #transport: ApiTransport;

  constructor(config: KubeConfig, metrics: ApiCallMetrics, spans: Spans = noSpans) {
    this.#transport = new ApiTransport(config, metrics, spans);
  }

  /** The cluster that KUBECONFIG, the user's kubeconfig or the pod's service account names. */
  static fromEnvironment(metrics: ApiCallMetrics, spans: Spans = noSpans): KubernetesCluster {
    const config = new KubeConfig();
    config.loadFromDefault();
    return new KubernetesCluster(config, metrics, spans);
  }

  async get<T extends KubernetesObject>(
    type: ResourceType,
    key: ObjectKey,
  ): Promise<T | undefined> {
    try {
      return await this.#transport.json<T>({
        verb: 'get',
        method: HttpMethod.GET,
        type,
        path: objectPath(type, key),
      });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list<T extends KubernetesObject>(
    type: ResourceType,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    const answer = await this.#transport.json<RawList<T>>({
      verb: 'list',
      method: HttpMethod.GET,
      type,
      path: collectionPath(type, options.namespace),
      query: {
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        limit: options.limit?.toString(),
        continue: options.continueToken,
        resourceVersion: options.resourceVersion,
      },
      ...(options.metadataOnly === true && { accept: acceptPartial('PartialObjectMetadataList') }),
      signal: options.signal,
    });
    const continueToken = answer.metadata.continue;
    return {
      items: (answer.items ?? []).map((item) =>
        options.metadataOnly === true
          ? (partialAs(type, item) as T)
          : // Items of a list of a built-in type carry neither apiVersion nor kind.
            { ...item, apiVersion: answer.apiVersion, kind: answer.kind.replace(/List$/, '') },
      ),
      resourceVersion: answer.metadata.resourceVersion,
      ...(continueToken !== undefined && continueToken !== '' && { continueToken }),
    };
  }

  apply<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: ApplyOptions,
  ): Promise<T> {
    const suffix = options.subresource === undefined ? '' : `/${options.subresource}`;
    return this.#transport.json<T>({
      verb: 'apply',
      method: HttpMethod.PATCH,
      type,
      path: objectPath(type, keyOf(object)) + suffix,
      query: {
        fieldManager: options.fieldManager,
        force: String(options.force ?? true),
        dryRun: options.dryRun === true ? 'All' : undefined,
      },
      body: { contentType: 'application/apply-patch+yaml', value: object },
      withinMs: options.withinMs,
    });
  }

  create<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: WriteOptions,
  ): Promise<T> {
    return this.#transport.json<T>({
      verb: 'create',
      method: HttpMethod.POST,
      type,
      path: collectionPath(type, object.metadata.namespace),
      query: { fieldManager: options.fieldManager },
      body: { contentType: 'application/json', value: object },
      withinMs: options.withinMs,
    });
  }

  patch<T extends KubernetesObject>(
    type: ResourceType,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    options: WriteOptions,
  ): Promise<T> {
    return this.#transport.json<T>({
      verb: 'patch',
      method: HttpMethod.PATCH,
      type,
      path: objectPath(type, key),
      query: { fieldManager: options.fieldManager },
      body: { contentType: 'application/json-patch+json', value: operations },
      withinMs: options.withinMs,
    });
  }

  async delete(
    type: ResourceType,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<KubernetesObject | undefined> {
    const value = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: options.propagation ?? 'Background',
      ...(options.uid !== undefined && { preconditions: { uid: options.uid } }),
    };
    try {
      const answer = await this.#transport.json<Partial<KubernetesObject>>({
        verb: 'delete',
        method: HttpMethod.DELETE,
        type,
        path: objectPath(type, key),
        body: { contentType: 'application/json', value },
        withinMs: options.withinMs,
      });
      // What is gone at once is answered with a Status or, by some types, as it last was.
      const stays = answer.kind !== 'Status' && answer.metadata?.deletionTimestamp !== undefined;
      return stays ? (answer as KubernetesObject) : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async readLog(pod: ObjectKey, options: LogOptions): Promise<string | undefined> {
    const signal = AbortSignal.timeout(LOG_TIMEOUT_MS);
    try {
      const answer = await this.#transport.open({
        verb: 'get',
        method: HttpMethod.GET,
        type: POD_LOG,
        path: `${objectPath(POD, pod)}/log`,
        query: {
          container: options.container,
          sinceTime: options.since,
          timestamps: 'true',
          limitBytes: options.limitBytes.toString(),
          tailLines: options.tailLines?.toString(),
        },
        accept: 'text/plain, application/json',
        signal,
      });
      return await answer.body.text();
    } catch (error) {
      // 400: the container has not started, or its log is gone with it.
      if (error instanceof ApiError && (error.code === 404 || error.code === 400)) return undefined;
      throw error;
    }
  }

  async *watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent> {
    const response = await this.#transport.open({
      verb: 'watch',
      method: HttpMethod.GET,
      type,
      path: collectionPath(type, options.namespace),
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: options.resourceVersion,
        timeoutSeconds: options.timeoutSeconds.toString(),
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        ...(options.initialEvents === true && {
          sendInitialEvents: 'true',
          resourceVersionMatch: 'NotOlderThan',
        }),
      },
      ...(options.metadataOnly === true && { accept: acceptPartial('PartialObjectMetadata') }),
      signal: options.signal,
    });
    const events = watchEvents(jsonLines(response.body));
    if (options.metadataOnly !== true) yield* events;
    else for await (const event of events) yield partialEvent(type, event);
  }
}

const LOG_TIMEOUT_MS = 30_000;
/** For the metrics of calls: reading a log is no reading of pods. */
const POD_LOG: ResourceType = { ...POD, plural: 'pods/log' };

type RawList<T> = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[] | null;
};
