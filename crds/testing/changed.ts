/**
 * A copy of a manifest with some of its fields changed. Keys are paths such as `spec.tasks.0.name`;
 * the value undefined takes a field away.
 */
export function changed<Manifest extends object>(
  manifest: Manifest,
  changes: Readonly<Record<string, unknown>>,
): Manifest {
  const copy = structuredClone(manifest);
  for (const [path, value] of Object.entries(changes)) set(copy, path.split('.'), value);
  return copy;
}

function set(root: object, path: readonly string[], value: unknown): void {
  const last = path.at(-1) ?? '';
  let node = root as Record<string, unknown>;
  for (const key of path.slice(0, -1)) {
    node[key] ??= {};
    node = node[key] as Record<string, unknown>;
  }
  if (value === undefined) delete node[last];
  else node[last] = value;
}
