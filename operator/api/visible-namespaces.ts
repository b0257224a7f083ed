import { NAMESPACE } from '../runtime/kubernetes-types.ts';
import type { NamespaceScope } from '../store/search.ts';
import type { Identity } from './identity.ts';
import type { RouteContext } from './route-context.ts';

const AT_ONCE = 16;
const PAGE = 500;

/** The namespaces in which the caller may list every one of these resources. */
export const visibleNamespaces = async (
  { access, cluster }: Pick<RouteContext, 'access' | 'cluster'>,
  identity: Identity,
  resources: readonly string[],
): Promise<NamespaceScope> => {
  const mayList = async (namespace?: string): Promise<boolean> => {
    const where = namespace === undefined ? {} : { namespace };
    for (const resource of resources) {
      // One by one: whoever has no business in a namespace is told so by the first answer.
      if (!(await access.allowed(identity, { verb: 'list', resource, ...where }))) return false;
    }
    return true;
  };
  if (await mayList()) return 'all';
  const names = await allNamespaces(cluster);
  const visible: string[] = [];
  for (let start = 0; start < names.length; start += AT_ONCE) {
    const batch = names.slice(start, start + AT_ONCE);
    const answers = await Promise.all(batch.map(mayList));
    visible.push(...batch.filter((_, index) => answers[index]));
  }
  return visible;
};

const allNamespaces = async (cluster: RouteContext['cluster']): Promise<readonly string[]> => {
  const names: string[] = [];
  let continueToken: string | undefined;
  do {
    const page = await cluster.list(NAMESPACE, {
      limit: PAGE,
      ...(continueToken === undefined ? {} : { continueToken }),
    });
    names.push(...page.items.map(({ metadata }) => metadata.name));
    continueToken = page.continueToken === '' ? undefined : page.continueToken;
  } while (continueToken !== undefined);
  return names;
};
