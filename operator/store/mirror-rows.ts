import type { Folded } from './fold-changes.ts';
import type { ResourceState } from './resource-state.ts';

export type KnownObject = {
  readonly uid: string;
  readonly resourceVersion: string;
};

/**
 * The mirror's writes. Adapters: `sql-mirror-rows.ts` (PostgreSQL) and `memory-mirror-rows.ts`.
 * Throws `RowsRefused` when the database will never take these rows; anything else may be tried
 * again.
 */
export type MirrorRows = {
  /** The living objects of a kind, in one namespace or all. */
  known(kind: string, namespace: string | undefined): Promise<readonly KnownObject[]>;
  states(uids: readonly string[]): Promise<readonly ResourceState[]>;
  /**
   * In one transaction: reads the states of `uids`, asks `fold` what to write, and writes it.
   * Resolves to the number of rows written. Audit rows that are there already stay as they are.
   */
  update(
    uids: readonly string[],
    fold: (stored: ReadonlyMap<string, ResourceState>) => Folded,
  ): Promise<number>;
};

/** A value the database cannot store; trying again is of no use. */
export class RowsRefused extends Error {
  override readonly name = 'RowsRefused';
  readonly code = 'RowsRefused';
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}
