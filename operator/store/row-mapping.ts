import type { Selectable } from 'kysely';
import type { AuditOperation, AuditRow, Readiness, ResourceRow } from './search.ts';
import type { AuditTable, ResourcesTable } from './tables.ts';

export const resourceRow = (row: Selectable<ResourcesTable>): ResourceRow => ({
  uid: row.uid,
  kind: row.kind,
  namespace: row.namespace,
  name: row.name,
  generation: Number(row.generation),
  resourceVersion: row.resource_version,
  labels: row.labels,
  annotations: row.annotations,
  spec: row.spec,
  status: row.status,
  ready: row.ready as Readiness,
  reason: row.reason,
  message: row.message,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  ...(row.deleted_at !== null && { deletedAt: row.deleted_at.toISOString() }),
});

export const auditRow = (row: Selectable<AuditTable>): AuditRow => ({
  id: row.id,
  kind: row.kind,
  uid: row.uid,
  namespace: row.namespace,
  name: row.name,
  operation: row.operation as AuditOperation,
  gap: row.gap,
  ...(row.requested_by !== null && { requestedBy: row.requested_by }),
  ...(row.field_manager !== null && { fieldManager: row.field_manager }),
  ...(row.before_hash !== null && { beforeHash: row.before_hash }),
  ...(row.after_hash !== null && { afterHash: row.after_hash }),
  generation: Number(row.generation),
  resourceVersion: row.resource_version,
  observedAt: row.observed_at.toISOString(),
});
