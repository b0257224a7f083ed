/** Why a request for a model cannot be answered. Pure. */
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { Catalog } from './catalog.ts';
import type { ModelIdentity } from '../model-identity.ts';
import type { VersionState } from './version-states.ts';

export type Known = {
  readonly catalog: Catalog;
  /** Of this name, those that are served. */
  readonly versions?: readonly string[] | undefined;
  readonly stateOf?: (entry: ModelIdentity) => VersionState;
};

export function whyNotServed(
  name: string,
  version: string | undefined,
  { catalog, versions = [], stateOf = () => ({ state: 'unloaded' }) }: Known,
): ProtocolError {
  const listed = catalog.filter(({ model }) => model === name);
  const entry = listed.find((each) => version === undefined || each.version === version);
  if (entry !== undefined) return whyNotReady(entry, stateOf(entry));
  if (version !== undefined && (listed.length > 0 || versions.length > 0)) {
    const there = versions.length > 0 ? versions : listed.map((each) => each.version);
    return unknown(`version "${version}" of model "${name}"`, there);
  }
  if (catalog.length > 0)
    return unknown(`model "${name}"`, new Set(catalog.map(({ model }) => model)));
  return new ProtocolError('NotReady', 'no model is known yet; try again later', retryLater);
}

const retryLater = { headers: { 'retry-after': '1' } };

function whyNotReady({ model }: ModelIdentity, { state, reason }: VersionState): ProtocolError {
  if (state === 'unloaded') {
    return new ProtocolError(
      'UnknownModel',
      `model "${model}" is not loaded; POST /v2/repository/models/${encodeURIComponent(model)}/load loads it`,
    );
  }
  const because = reason === undefined ? '' : ` (${reason})`;
  return new ProtocolError(
    'NotReady',
    `model "${model}" is ${state}${because}; try again later`,
    retryLater,
  );
}

/** As many as one reads. */
const maxNames = 20;

const unknown = (what: string, there: Iterable<string>): ProtocolError =>
  new ProtocolError(
    'UnknownModel',
    `${what} is not served here; this is ${[...there]
      .slice(0, maxNames)
      .map((each) => `"${each}"`)
      .join(', ')}`,
  );
