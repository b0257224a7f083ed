import { kubectl } from './kubectl.ts';

/** Headers of answers: the pod's address, and how often the gateway asked before somebody answered. */
export const ANSWERED_BY = 'x-answered-by';
export const ATTEMPTS = 'x-envoy-attempt-count';

const GATEWAY_NAMESPACE = 'istio-system';

/** Has the gateway say in each answer which pod gave it, until the returned function is called. */
export const namePods = async (): Promise<() => Promise<void>> => {
  const name = 'answered-by';
  const filter = {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name, namespace: GATEWAY_NAMESPACE },
    spec: {
      workloadSelector: { labels: { istio: 'ingressgateway' } },
      configPatches: [
        {
          applyTo: 'VIRTUAL_HOST',
          // Not by name: Istio gives hosts with the same routes one virtual host, called after any of them.
          match: { context: 'GATEWAY' },
          patch: {
            operation: 'MERGE',
            value: {
              include_attempt_count_in_response: true,
              response_headers_to_add: [
                {
                  header: { key: ANSWERED_BY, value: '%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' },
                  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
                },
              ],
            },
          },
        },
      ],
    },
  };
  await kubectl(['apply', '-f', '-'], JSON.stringify(filter));
  return async () => {
    await kubectl(['delete', 'envoyfilter', name, '-n', GATEWAY_NAMESPACE, '--ignore-not-found']);
  };
};
