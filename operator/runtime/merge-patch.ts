type Plain = Readonly<Record<string, unknown>>;

/** RFC 7386: `patch` laid over `target`; null removes a field, a list replaces the whole list. */
export const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isPlain(patch)) return patch;
  const kept = isPlain(target) ? target : {};
  const merged = Object.entries(patch).flatMap(([name, value]): [string, unknown][] =>
    value === null ? [] : [[name, mergePatch(kept[name], value)]],
  );
  const untouched = Object.entries(kept).filter(([name]) => !Object.hasOwn(patch, name));
  return Object.fromEntries([...untouched, ...merged]);
};

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
