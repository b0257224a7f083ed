import type { KubernetesObject } from './resource-type.ts';

type Plain = Readonly<Record<string, unknown>>;
type Merged = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown };

/**
 * Server-side apply (KEP-555) as far as one field manager per field goes: `wanted` is laid over
 * `live`, and what this manager applied before and leaves out now is removed. Lists are replaced.
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
      const dropped = before[name] !== undefined && !KEPT.has(name);
      return dropped ? [] : [[name, live[name]]];
    }
    const [now, then, next] = [live[name], before[name], wanted[name]];
    if (!isPlain(next)) return [[name, next]];
    return [[name, merge(isPlain(now) ? now : {}, isPlain(then) ? then : {}, next)]];
  });
  return Object.fromEntries(entries);
};

/** Set by the server; no manager removes them by leaving them out. */
const KEPT = new Set(['uid', 'resourceVersion', 'name', 'namespace']);

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
