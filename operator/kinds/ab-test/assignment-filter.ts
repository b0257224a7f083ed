import { ENVOY_FILTER } from '../../runtime/istio-types.ts';
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import { assignmentLua, type Unit } from './assignment-lua.ts';

export type AssignmentFilter = {
  /** Of the EnvoyFilter; one gateway may have those of many tests. */
  readonly name: string;
  /** Where the gateway's pods are. An EnvoyFilter is for pods of its own namespace. */
  readonly gatewayNamespace: string;
  /** Labels of the gateway's pods: `spec.selector` of the Gateway object. */
  readonly gatewaySelector: Readonly<Record<string, string>>;
  /** All hosts of the VirtualService whose routes match buckets, or clients could choose theirs. */
  readonly hosts: readonly string[];
  /** Tells the buckets of one test from those of another: the uid of the ABTest. */
  readonly salt: string;
  readonly unit: Unit;
};

/**
 * Has Istio's gateway put the units of one ABTest into buckets (decision 0011). On requests for one
 * of the hosts it drops the headers x-mlops-bucket, x-mlops-unit and x-mlops-variant of clients; of
 * one that names its unit it sets the first two and chooses the route anew. It touches no others.
 * It comes right before the router, so that what checked or set the unit's header came before it.
 * Throws a RangeError for no host, for one with a wildcard (others may own hosts it covers), and for a unit
 * that is not exactly one of header and cookie.
 */
export const assignmentFilter = (wanted: AssignmentFilter): KubernetesObject => {
  check(wanted);
  const { name, gatewayNamespace, gatewaySelector } = wanted;
  const spec = {
    workloadSelector: { labels: gatewaySelector },
    configPatches: [
      {
        applyTo: 'HTTP_FILTER',
        match: {
          context: 'GATEWAY',
          listener: {
            filterChain: {
              filter: {
                name: 'envoy.filters.network.http_connection_manager',
                subFilter: { name: 'envoy.filters.http.router' },
              },
            },
          },
        },
        patch: {
          operation: 'INSERT_BEFORE',
          value: {
            name: `mlops.assignment.${name}`,
            typed_config: {
              '@type': typeUrl('extensions.common.matching.v3.ExtensionWithMatcher'),
              extension_config: {
                name: 'envoy.filters.http.lua',
                typed_config: {
                  '@type': typeUrl('extensions.filters.http.lua.v3.Lua'),
                  default_source_code: { inline_string: assignmentLua(wanted) },
                },
              },
              xds_matcher: { matcher_list: { matchers: [skipOtherHosts(wanted.hosts)] } },
            },
          },
        },
      },
    ],
  };
  return {
    apiVersion: `${ENVOY_FILTER.group}/${ENVOY_FILTER.version}`,
    kind: ENVOY_FILTER.kind,
    metadata: { name, namespace: gatewayNamespace },
    ...{ spec },
  };
};

const typeUrl = (name: string): string => `type.googleapis.com/envoy.${name}`;

/** Lua costs every request some 10 µs even where it does nothing, so Envoy itself looks at the host. */
const skipOtherHosts = (hosts: readonly string[]) => ({
  predicate: {
    not_matcher: {
      single_predicate: {
        input: {
          name: 'authority',
          typed_config: {
            '@type': typeUrl('type.matcher.v3.HttpRequestHeaderMatchInput'),
            header_name: ':authority',
          },
        },
        value_match: { safe_regex: { google_re2: {}, regex: authorityRegex(hosts) } },
      },
    },
  },
  on_match: {
    action: {
      name: 'skip',
      typed_config: {
        '@type': typeUrl('extensions.filters.common.matcher.action.v3.SkipFilter'),
      },
    },
  },
});

/**
 * RE2 for all that Envoy takes for one of the hosts, and more: it ignores case, and a port where it
 * is one. Whatever is not a letter, a digit or a dash is written by its code point.
 */
const authorityRegex = (hosts: readonly string[]): string => {
  const literals = hosts.map((host) =>
    Array.from(host, (character) =>
      /[A-Za-z0-9-]/.test(character)
        ? character
        : `\\x{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    ).join(''),
  );
  return `(?i)(${literals.join('|')})(:.*)?`;
};

const check = ({ hosts, unit: { header, cookie } }: AssignmentFilter): void => {
  if (hosts.length === 0) throw new RangeError('name at least one host');
  const wildcard = hosts.find((host) => host.includes('*'));
  if (wildcard !== undefined) {
    throw new RangeError(
      `units cannot be told apart on ${wildcard}, which may cover hosts of others: name each host`,
    );
  }
  if ((header === undefined) !== (cookie === undefined) && (header ?? cookie) !== '') return;
  throw new RangeError('set exactly one of header and cookie');
};
