import { dump } from 'js-yaml';

import { kinds } from '../crds/schema/all.ts';
import { allReconcilers } from '../operator/kinds/all.ts';
import type { Ports } from '../operator/kinds/ports.ts';
import { CLUSTER_RULES, OWN_NAMESPACE_RULES, operatorRules, userRules } from '../operator/rbac.ts';
import type { PolicyRule } from '../operator/runtime/reconciler.ts';

const HEADER = '{{/* Generated from what controllers declare by `make generate`; do not edit. */}}';

/** Named templates with the rules of every role of the chart. */
export const rbacTemplate = (): string => {
  const users = userRules(kinds.map(({ plural }) => plural));
  return [
    HEADER,
    named('mlops.rules.operator', operatorRules(allReconcilers(noPorts))),
    named('mlops.rules.cluster', CLUSTER_RULES),
    named('mlops.rules.ownNamespace', OWN_NAMESPACE_RULES),
    named('mlops.rules.view', users.view),
    named('mlops.rules.edit', users.edit),
    named('mlops.rules.admin', users.admin),
  ].join('\n');
};

const named = (name: string, rules: readonly PolicyRule[]): string =>
  `{{- define "${name}" -}}\n${dump(rules, { lineWidth: 100, flowLevel: 2 })}{{- end -}}\n`;

/** Declarations are data: a controller may take its ports, but not use them, to make them. */
const unusable = (path: string): object =>
  new Proxy(Object.freeze({}), {
    get: (_, name) => {
      throw new Error(`A controller used ${path}.${String(name)} while it declared itself.`);
    },
  });

const noPorts: Ports = {
  artifacts: unusable('artifacts') as Ports['artifacts'],
  runs: unusable('runs') as Ports['runs'],
  trials: unusable('trials') as Ports['trials'],
  search: unusable('search') as Ports['search'],
  logs: unusable('logs') as Ports['logs'],
  children: unusable('children') as Ports['children'],
  traffic: unusable('traffic') as Ports['traffic'],
  ownData: unusable('ownData') as Ports['ownData'],
  probe: unusable('probe') as Ports['probe'],
  outcomes: unusable('outcomes') as Ports['outcomes'],
};
