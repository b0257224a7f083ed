import type { LoadedModel } from './loaded-model.ts';

/** What answers, by name; of several versions the first is the default. Replaced as a whole, never changed. */
export type Served = ReadonlyMap<string, readonly LoadedModel[]>;

export const allOf = (served: Served): readonly LoadedModel[] => [...served.values()].flat();

export function findIn(
  served: Served,
  name: string,
  version: string | undefined,
): LoadedModel | undefined {
  const versions = served.get(name);
  if (version === undefined) return versions?.[0];
  return versions?.find(({ entry }) => entry.version === version);
}
