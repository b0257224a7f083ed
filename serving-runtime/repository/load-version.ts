/** The way of a version into service: fetching (the bytes are verified as they pass) → loading → warming → ready. */
import { compileEnsemble } from '../ensemble/compile.ts';
import type { EnsembleNode } from '../ensemble/graph.ts';
import type { ServedModel } from '../inference/served-model.ts';
import type { FetchedModel } from '../fetching/model-cache.ts';
import type { ModelSession } from '../session.ts';
import type { ModelMetrics } from '../telemetry/model-metrics.ts';
import { warmUp } from '../warm-up.ts';
import type { CatalogEntry } from './catalog.ts';
import type { LoadedModel } from './loaded-model.ts';
import { Presence, SharedModel } from './shared-model.ts';

export type LoadStage = 'fetching' | 'loading' | 'warming';

/** Each step as a function: those of a test may fail, or wait. */
export type LoadSteps = {
  /** Resolves with verified bytes only. */
  readonly fetch: (signal: AbortSignal) => Promise<FetchedModel>;
  readonly open: (path: string, signal: AbortSignal) => Promise<ModelSession>;
  /** Puts it to work; whoever closes the model closes the session. */
  readonly warmUp: (session: ModelSession, path: string) => Promise<ServedModel>;
};

export type LoadContext = {
  readonly metrics: ModelMetrics;
  /** Requests that have been admitted, have no answer, and are not at another model. */
  readonly admitted: () => number;
};

export type VersionLoader = {
  readonly stepsOf: (entry: CatalogEntry, context: LoadContext) => LoadSteps;
  readonly metricsOf: (entry: CatalogEntry) => ModelMetrics;
  /** Requests that have been admitted and have no answer. */
  readonly admitted: () => number;
  /** Inferences at all models. */
  readonly present: { count: number };
};

export type Told = (stage: LoadStage) => void;

/** Throws ModelFailure, or what `signal` aborts with; nothing is left open then. */
export async function loadVersion(
  entry: CatalogEntry,
  loader: VersionLoader,
  { signal, enter }: { readonly signal: AbortSignal; readonly enter: Told },
): Promise<LoadedModel> {
  const presence = new Presence(loader.present);
  const metrics = loader.metricsOf(entry);
  const admitted = () => loader.admitted() - presence.elsewhere;
  const steps = loader.stepsOf(entry, { metrics, admitted });
  signal.throwIfAborted();
  enter('fetching');
  const { path, sizeBytes } = await steps.fetch(signal);
  enter('loading');
  const session = await steps.open(path, signal);
  enter('warming');
  try {
    const model = new SharedModel(await steps.warmUp(session, path), presence);
    return { entry, sizeBytes, model, metrics, members: [] };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Its members stay open as long as it does. `find` throws ModelFailure for one that is not there. */
export async function buildEnsemble(
  entry: CatalogEntry,
  graph: EnsembleNode,
  find: (model: string, version: string | undefined) => LoadedModel,
  loader: VersionLoader,
): Promise<LoadedModel> {
  const members = new Set<LoadedModel>();
  const compiled = compileEnsemble(graph, (model, version) => {
    const member = find(model, version);
    members.add(member);
    return member.model;
  });
  await warmUp(
    {
      signature: compiled.signature,
      run: (inputs, outputs) => compiled.run({ inputs, outputs, refusal: () => undefined }),
    },
    () => undefined,
  );
  const releases = Array.from(members, ({ model }) => model.hold());
  const served: ServedModel = {
    ...compiled,
    close: async () => {
      for (const release of releases) release();
    },
  };
  return {
    entry,
    sizeBytes: Array.from(members).reduce((sum, member) => sum + member.sizeBytes, 0),
    model: new SharedModel(served, new Presence(loader.present)),
    metrics: loader.metricsOf(entry),
    members: [...members],
  };
}
