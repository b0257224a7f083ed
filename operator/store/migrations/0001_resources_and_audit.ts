import { type Kysely, sql } from 'kysely';

/**
 * The mirror and the audit. Names compare by their bytes (collation "C"), as Kubernetes sorts them,
 * so that pages do not depend on the server's locale.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table resources (
      uid text collate "C" primary key,
      kind text not null,
      namespace text collate "C" not null,
      name text collate "C" not null,
      generation bigint not null,
      resource_version text not null,
      labels jsonb not null,
      annotations jsonb not null,
      spec jsonb not null,
      status jsonb not null,
      writers jsonb not null,
      ready text not null check (ready in ('True', 'False', 'Unknown')),
      reason text not null,
      message text not null,
      search_text text not null,
      search tsvector generated always as (to_tsvector('simple', search_text)) stored,
      content_hash text not null,
      status_hash text not null,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      deleted_at timestamptz
    )`.execute(db);
  await sql`create index resources_key on resources (kind, namespace, name)`.execute(db);
  await sql`create index resources_by_name on resources (name, uid)`.execute(db);
  await sql`create index resources_by_creation on resources (created_at, uid)`.execute(db);
  await sql`create index resources_by_update on resources (updated_at, uid)`.execute(db);
  await sql`create index resources_labels on resources using gin (labels jsonb_path_ops)`.execute(
    db,
  );
  await sql`create index resources_search on resources using gin (search)`.execute(db);
  await sql`
    create table audit (
      id bigint generated always as identity primary key,
      kind text not null,
      uid text not null,
      namespace text not null,
      name text not null,
      operation text not null check (operation in ('created', 'updated', 'status', 'deleted')),
      gap boolean not null,
      requested_by text,
      field_manager text,
      before_hash text,
      after_hash text,
      generation bigint not null,
      resource_version text not null,
      observed_at timestamptz not null,
      unique (uid, resource_version, operation)
    )`.execute(db);
  await sql`create index audit_of_object on audit (kind, namespace, name, id)`.execute(db);
  await sql`
    create function audit_is_append_only() returns trigger language plpgsql as $$
    begin
      raise exception 'audit rows are never changed or removed'
        using errcode = 'insufficient_privilege';
    end $$`.execute(db);
  await sql`
    create trigger audit_keep_rows before update or delete on audit
      for each row execute function audit_is_append_only()`.execute(db);
  await sql`
    create trigger audit_keep_table before truncate on audit
      for each statement execute function audit_is_append_only()`.execute(db);
};
