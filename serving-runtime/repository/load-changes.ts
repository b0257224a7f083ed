/** Makes what shall be served out of what is served: what has not changed stays as it is. */
import type { EnsembleNode } from '../ensemble/graph.ts';
import { membersOf } from '../ensemble/graph.ts';
import { ModelFailure } from '../model-failure.ts';
import type { Catalog, CatalogEntry } from './catalog.ts';
import { isSameEntry } from './catalog.ts';
import type { VersionLoader } from './load-version.ts';
import { buildEnsemble, loadVersion } from './load-version.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { Served } from './served.ts';
import { allOf, findIn } from './served.ts';
import type { VersionStates } from './version-states.ts';

export type LoadChanges = {
  readonly served: Served;
  readonly loader: VersionLoader;
  readonly states: VersionStates;
  readonly signal: AbortSignal;
};

/** With what its ensembles need and is not served. */
export function withMembers(wanted: Catalog, catalog: Catalog, served: Served): Catalog {
  const names = new Set(wanted.map(({ model }) => model));
  const needed = new Set(
    wanted.flatMap(({ content }) =>
      content.kind === 'ensemble' ? membersOf(content.graph).map(({ model }) => model) : [],
    ),
  );
  const missing = catalog.filter(
    ({ model, content }) =>
      content.kind === 'onnx' && needed.has(model) && !names.has(model) && !served.has(model),
  );
  return [...wanted, ...missing];
}

/**
 * Loads `wanted` in place of all that is served of its names. Ensembles are built anew where a member
 * changes. Throws what the first failure throws, with nothing of it left open.
 */
export async function loadChanges(wanted: Catalog, changes: LoadChanges): Promise<Served> {
  const { served, states, loader } = changes;
  const plan = planOf(wanted, served);
  const ready = new Map<CatalogEntry, LoadedModel>();
  const fresh: LoadedModel[] = [];
  const bring = async (entry: CatalogEntry, load: () => Promise<LoadedModel>) => {
    try {
      const loaded = await load();
      fresh.push(loaded);
      ready.set(entry, loaded);
    } catch (error) {
      states.failed(entry, error, findIn(served, entry.model, entry.version) !== undefined);
      throw error;
    }
  };
  try {
    for (const entry of plan) {
      if (entry.content.kind !== 'onnx') continue;
      const same = sameAs(entry, served);
      if (same !== undefined) ready.set(entry, same);
      else await bring(entry, () => loadModel(entry, changes));
    }
    for (const entry of plan) {
      if (entry.content.kind !== 'ensemble') continue;
      const { graph } = entry.content;
      const same = sameAs(entry, served);
      const find = (model: string, version: string | undefined) =>
        findMember(entry, ready, { model, version });
      if (same !== undefined && isWhole(same, graph, find)) ready.set(entry, same);
      else await bring(entry, () => buildEnsemble(entry, graph, find, loader));
    }
  } catch (error) {
    await Promise.all(fresh.toReversed().map(({ model }) => model.close()));
    throw error;
  }
  return Map.groupBy(
    plan.flatMap((entry) => ready.get(entry) ?? []),
    ({ entry }) => entry.model,
  );
}

/** All entries that shall be served. */
function planOf(wanted: Catalog, served: Served): Catalog {
  const names = new Set(wanted.map(({ model }) => model));
  const kept = allOf(served).map(({ entry }) => entry);
  return [...kept.filter(({ model }) => !names.has(model)), ...wanted];
}

const sameAs = (entry: CatalogEntry, served: Served): LoadedModel | undefined =>
  served.get(entry.model)?.find((each) => isSameEntry(each.entry, entry));

function loadModel(entry: CatalogEntry, { loader, states, signal }: LoadChanges) {
  const enter = (stage: Parameters<typeof states.enter>[1]) => {
    states.enter(entry, stage);
  };
  return loadVersion(entry, loader, { signal, enter });
}

type Find = (model: string, version: string | undefined) => LoadedModel;

/** Whether an ensemble that is served consists of what it would consist of now. */
function isWhole({ members }: LoadedModel, graph: EnsembleNode, find: Find): boolean {
  return membersOf(graph).every(({ model, version }) => members.includes(find(model, version)));
}

function findMember(
  ensemble: CatalogEntry,
  ready: ReadonlyMap<CatalogEntry, LoadedModel>,
  { model, version }: { readonly model: string; readonly version: string | undefined },
): LoadedModel {
  for (const [entry, loaded] of ready) {
    const isIt = entry.model === model && (version === undefined || entry.version === version);
    if (isIt && entry.content.kind === 'onnx') return loaded;
  }
  const what =
    version === undefined ? `model "${model}"` : `version "${version}" of model "${model}"`;
  throw new ModelFailure(
    'InvalidModel',
    `ensemble "${ensemble.model}" needs ${what}, which is no model that is loaded; list it, or nest its graph where it is an ensemble`,
  );
}
