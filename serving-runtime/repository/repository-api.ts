/**
 * The model repository extension: what can be served, and its loading and unloading while requests are
 * answered. Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
 */
import type { Logger } from '../telemetry/logger.ts';
import { invalidRequest, ProtocolError } from '../protocol/protocol-error.ts';
import type { ModelRepository } from './repository.ts';

/** `explicit`: whoever reaches the server may load and unload what is listed. */
export type ModelControl = 'none' | 'explicit';

export type IndexEntry = {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'LOADING' | 'UNAVAILABLE';
  readonly reason: string;
};

export type RepositoryParts = {
  readonly repository: ModelRepository;
  readonly modelControl: ModelControl;
  /** Aborted when the process is asked to stop. */
  readonly stop: AbortSignal;
  readonly logger: Logger;
};

type Parameters = Readonly<Record<string, unknown>>;

const loadingStates: ReadonlySet<string> = new Set(['fetching', 'loading', 'warming']);

/** All that is listed; with `ready`, what answers now. */
export function indexOf(
  { repository }: Pick<RepositoryParts, 'repository'>,
  { ready = false }: { readonly ready?: boolean },
): readonly IndexEntry[] {
  const all = repository.known.map(({ model, version, isServed, state, reason }): IndexEntry => {
    const isLoading = loadingStates.has(state);
    const now = isServed ? 'READY' : isLoading ? 'LOADING' : 'UNAVAILABLE';
    const because = reason ?? (now === 'UNAVAILABLE' ? 'unloaded' : '');
    return { name: model, version, state: now, reason: because };
  });
  return ready ? all.filter(({ state }) => state === 'READY') : all;
}

/** Throws ProtocolError 400, 403, 404, 422; what was served before serves on then. */
export async function loadModel(
  parts: RepositoryParts,
  name: string,
  parameters: Parameters = {},
): Promise<void> {
  refuseUncontrolled(parts);
  const [given] = Object.keys(parameters);
  if (given !== undefined) {
    throw invalidRequest(
      `parameters: "${given}" cannot be given; what is loaded, and by which digest, stands in the list of models`,
    );
  }
  const loaded = await parts.repository.load(name, parts.stop);
  const versions = loaded.map(({ entry: { version, digest } }) => ({ version, digest }));
  parts.logger.info({ model: name, versions }, 'model was loaded on request');
}

/** Resolves when it is out of service. Throws ProtocolError 400, 403, 404, 409. */
export async function unloadModel(
  parts: RepositoryParts,
  name: string,
  parameters: Parameters = {},
): Promise<void> {
  refuseUncontrolled(parts);
  const { unload_dependents: dependents = false, ...others } = parameters;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalidRequest(`parameters: "${unknown}" is not known`);
  if (typeof dependents !== 'boolean') {
    throw invalidRequest('parameters: unload_dependents is neither true nor false');
  }
  await parts.repository.unload(name, { dependents });
  parts.logger.info({ model: name, dependents }, 'model was unloaded on request');
}

function refuseUncontrolled({ modelControl }: RepositoryParts): void {
  if (modelControl === 'explicit') return;
  throw new ProtocolError(
    'Forbidden',
    'models are not loaded and unloaded on request here; MLOPS_MODEL_CONTROL=explicit allows it',
  );
}
