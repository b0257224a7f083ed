/** What a process may serve: models with the digest their bytes must have, and ensembles of them. */
import type { ModelSource } from '../fetching/source-setting.ts';
import type { EnsembleNode } from '../ensemble/graph.ts';
import type { ModelIdentity } from '../model-identity.ts';

/** A name's entries stand in order: where no version is asked, the first that is loaded answers. */
export type CatalogEntry = ModelIdentity & {
  /** SHA-256 of the model's bytes, or of the ensemble's graph. */
  readonly digest: string;
  /** Whether it is loaded when the process starts; the others are on request. */
  readonly load: boolean;
  readonly content:
    | { readonly kind: 'onnx'; readonly source: ModelSource }
    | { readonly kind: 'ensemble'; readonly graph: EnsembleNode };
};

export type Catalog = readonly CatalogEntry[];

/** Nothing of what is served under it differs. */
export const isSameEntry = (a: CatalogEntry, b: CatalogEntry): boolean =>
  a.version === b.version && a.digest === b.digest && a.content.kind === b.content.kind;
