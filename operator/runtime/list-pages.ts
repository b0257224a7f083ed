import { ApiError, type Cluster, type ListOptions } from './cluster.ts';
import { keyOf, keyString, type KubernetesObject, type ResourceType } from './resource-type.ts';

const PAGE_SIZE = 500;

/** What a complete list showed: the keys it held, and the version it was read at. */
export type Listed = { readonly found: ReadonlySet<string>; readonly version: string };

/**
 * Lists all there is, page by page, handing on each object as it comes. When the server has forgotten
 * the rest of a list (410 on a continue token) it begins anew, once; objects may then come twice.
 *
 * @throws ApiError as the cluster does; 410 when the second list expires too
 */
export const listPages = async (
  { cluster, type }: { readonly cluster: Cluster; readonly type: ResourceType },
  options: ListOptions,
  onObject: (object: KubernetesObject, version: string) => void,
): Promise<Listed> => {
  const found = new Set<string>();
  let continueToken: string | undefined;
  let mayRestart = true;
  for (;;) {
    const wanted = continueToken === undefined ? {} : { continueToken };
    const asked = { limit: PAGE_SIZE, ...options, ...wanted };
    const page = await cluster.list(type, asked).catch((error: unknown) => {
      if (!isExpired(error) || continueToken === undefined || !mayRestart) throw error;
      return undefined;
    });
    if (page === undefined) {
      mayRestart = false;
      // What the first pages showed may be gone by the time of the second list.
      found.clear();
      continueToken = undefined;
      continue;
    }
    for (const object of page.items) {
      found.add(keyString(keyOf(object)));
      onObject(object, page.resourceVersion);
    }
    continueToken = page.continueToken;
    if (continueToken === undefined) return { found, version: page.resourceVersion };
    options.signal?.throwIfAborted();
  }
};

export const isExpired = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone');
