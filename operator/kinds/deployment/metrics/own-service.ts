/** Services of the Deployment's own namespace, which metrics may be asked of without further leave. */
import { SERVICE } from '../../../runtime/kubernetes-types.ts';
import type { Pass } from '../../../runtime/reconciler.ts';
import type { KubernetesObject } from '../../../runtime/resource-type.ts';

type Service = KubernetesObject & {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly selector?: Readonly<Record<string, string>>;
  };
};

const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** The Service a URL names: `kpi`, `kpi.<namespace>.svc`, or that with the cluster's domain behind. */
export const ownServiceOf = (url: string, namespace: string): string | undefined => {
  const { hostname } = new URL(url);
  const [name = '', space, svc] = hostname.split('.');
  if (!LABEL.test(name) || hostname === 'localhost') return undefined;
  if (!hostname.includes('.')) return name;
  return space === namespace && svc === 'svc' ? name : undefined;
};

/**
 * The address of a Service, read when it is asked for, so that no answer of DNS comes between. One
 * without a selector, or of type ExternalName, may point anywhere, and is refused: the operator sits
 * where tenants may not. Throws an Error that says what to do.
 */
export const addressOfService =
  (name: string, namespace: string, live: Pass['live']) => async (): Promise<string> => {
    const found = await live.get<Service>(SERVICE, { namespace, name });
    const what = `Service ${name} in namespace ${namespace}`;
    if (found === undefined) throw new Error(`there is no ${what}`);
    const { type, clusterIP = '', selector = {} } = found.spec ?? {};
    if (type === 'ExternalName' || Object.keys(selector).length === 0) {
      throw new Error(`${what} selects no pods, so it may point anywhere; give it a selector`);
    }
    if (clusterIP === '' || clusterIP === 'None') {
      throw new Error(`${what} is headless; ask one that has a cluster IP`);
    }
    return clusterIP;
  };
