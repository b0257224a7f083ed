import type { MirrorRows } from './mirror-rows.ts';
import type { ResourceState } from './resource-state.ts';
import type { AuditRow } from './search.ts';

/** The mirror's tables in memory, for tests; `memory-resource-search.ts` reads them. */
export class MemoryMirrorRows implements MirrorRows {
  readonly table = new Map<string, ResourceState>();
  readonly audit: AuditRow[] = [];

  async known(kind: string, namespace: string | undefined) {
    return [...this.table.values()]
      .map(({ row }) => row)
      .filter((row) => row.kind === kind && row.deletedAt === undefined)
      .filter((row) => namespace === undefined || row.namespace === namespace)
      .map(({ uid, resourceVersion }) => ({ uid, resourceVersion }));
  }

  async states(uids: readonly string[]): Promise<readonly ResourceState[]> {
    return uids.flatMap((uid) => this.table.get(uid) ?? []);
  }

  async update(uids: readonly string[], fold: Parameters<MirrorRows['update']>[1]) {
    const stored = await this.states(uids);
    const { states, audit } = fold(new Map(stored.map((state) => [state.row.uid, state])));
    for (const state of states) this.table.set(state.row.uid, state);
    const fresh = audit.filter((row) => !this.audit.some((old) => isSame(old, row)));
    for (const row of fresh) this.audit.push({ id: String(this.audit.length + 1), ...row });
    return states.length + fresh.length;
  }
}

const isSame = (a: Omit<AuditRow, 'id'>, b: Omit<AuditRow, 'id'>): boolean =>
  a.uid === b.uid && a.resourceVersion === b.resourceVersion && a.operation === b.operation;
