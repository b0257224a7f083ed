import type { Labels } from './kubernetes-objects.ts';

const RESERVED = 'mlops.pynomaly.io/';

/** Labels of ours are rights (which run a pod may log to), so a user's template cannot bring its own. */
export const withoutReserved = (labels: Labels | undefined): Labels =>
  Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => !name.startsWith(RESERVED)));
