import { same } from './coverage.ts';
import type { KubernetesObject } from './resource-type.ts';

type Plain = Readonly<Record<string, unknown>>;
type Merged = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown };

/**
 * Server-side apply (KEP-555) as far as one field manager per field goes: `wanted` is laid over
 * `live`, and what this manager applied before and leaves out now is removed, unless somebody else
 * has changed it meanwhile. Lists are replaced.
 */
export const mergeApplied = (
  live: KubernetesObject | undefined,
  before: KubernetesObject | undefined,
  wanted: KubernetesObject,
): Merged => merge(live ?? {}, before ?? {}, wanted) as unknown as Merged;

const merge = (live: Plain, before: Plain, wanted: Plain): Plain => {
  const names = new Set([...Object.keys(live), ...Object.keys(wanted)]);
  const entries = [...names].flatMap((name): [string, unknown][] => {
    if (wanted[name] === undefined) {
      const left = KEPT.has(name) ? live[name] : without(live[name], before[name]);
      return left === undefined ? [] : [[name, left]];
    }
    const [now, then, next] = [live[name], before[name], wanted[name]];
    if (!isPlain(next)) return [[name, next]];
    return [[name, merge(isPlain(now) ? now : {}, isPlain(then) ? then : {}, next)]];
  });
  return Object.fromEntries(entries);
};

/** `live` less what stands there as it was applied; undefined when nothing else is left. */
const without = (live: unknown, before: unknown): unknown => {
  if (same(live, before)) return undefined;
  if (!isPlain(live) || !isPlain(before)) return live;
  const left = Object.entries(live).map(([name, value]) => [name, without(value, before[name])]);
  return Object.fromEntries(left.filter(([, value]) => value !== undefined));
};

/** Set by the server; no manager removes them by leaving them out. */
const KEPT = new Set(['uid', 'resourceVersion', 'name', 'namespace']);

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
