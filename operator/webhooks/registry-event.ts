import { ANNOTATIONS, LABELS } from '../../crds/schema/names.ts';
import type { ResourceState } from '../store/resource-state.ts';
import type { ResourceRow } from '../store/search.ts';

/** Events of MLflow's registry that this registry has. */
export type RegistryEventName =
  | 'registered_model.created'
  | 'model_version.created'
  | 'model_version_tag.set'
  | 'model_version_tag.deleted'
  | 'model_version_alias.created'
  | 'model_version_alias.deleted';

/**
 * What happened to one object, without the names that clients know models and versions by: those
 * stand in other objects, so they are looked up when the event is sent.
 */
export type RegistryEvent = {
  readonly event: RegistryEventName;
  readonly namespace: string;
  /** Name of the Model. */
  readonly model: string;
  /** SemVer of the version it is about; absent where no version belongs into the message. */
  readonly semver?: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** When the object came to be, in ms; only for `created` events of objects. */
  readonly createdAt?: number;
};

type Tags = Readonly<Record<string, string>>;

/** The events between two states of an object as the mirror stores them; none for other kinds. */
export const registryEvents = (
  before: ResourceState | undefined,
  after: ResourceState,
): readonly RegistryEvent[] => {
  const gone = after.row.deletedAt !== undefined;
  const old = before?.row.deletedAt === undefined ? before?.row : undefined;
  switch (after.row.kind) {
    case 'Model':
      return old === undefined && !gone ? [modelCreated(after.row)] : [];
    case 'ModelVersion':
      if (gone) return [];
      return old === undefined ? [versionCreated(after.row)] : tagChanges(old, after.row);
    case 'ModelAlias':
      return aliasChanges(old, after.row, gone);
    default:
      return [];
  }
};

const modelCreated = ({ namespace, name, spec, createdAt }: ResourceRow): RegistryEvent => ({
  ...{ event: 'registered_model.created', namespace, model: name },
  createdAt: Date.parse(createdAt),
  data: { tags: spec['tags'] ?? {}, description: spec['description'] ?? null },
});

const versionCreated = (row: ResourceRow): RegistryEvent => ({
  ...ofVersion(row),
  event: 'model_version.created',
  createdAt: Date.parse(row.createdAt),
  data: {
    source: row.annotations[ANNOTATIONS.mlflowSource] ?? row.spec['storageUri'] ?? '',
    run_id: (row.spec['source'] as { readonly runId?: string } | undefined)?.runId ?? null,
    tags: row.spec['tags'] ?? {},
    description: row.annotations[ANNOTATIONS.mlflowDescription] ?? null,
  },
});

const tagChanges = (before: ResourceRow, after: ResourceRow): readonly RegistryEvent[] => {
  const [old, now] = [tagsOf(before), tagsOf(after)];
  const set = Object.entries(now).filter(([key, value]) => old[key] !== value);
  const deleted = Object.keys(old).filter((key) => !(key in now));
  return [
    ...set.map(([key, value]) => ({
      ...ofVersion(after),
      event: 'model_version_tag.set' as const,
      data: { key, value },
    })),
    ...deleted.map((key) => ({
      ...ofVersion(after),
      event: 'model_version_tag.deleted' as const,
      data: { key },
    })),
  ];
};

const aliasChanges = (
  before: ResourceRow | undefined,
  after: ResourceRow,
  gone: boolean,
): readonly RegistryEvent[] => {
  // The mark of a stage, which clients do not see as an alias.
  if (after.annotations[ANNOTATIONS.mlflowStage] !== undefined) return [];
  const { semver, ...model } = ofVersion(after);
  const data = { alias: after.annotations[ANNOTATIONS.mlflowName] ?? after.spec['alias'] };
  if (gone) {
    return before === undefined ? [] : [{ ...model, event: 'model_version_alias.deleted', data }];
  }
  if (before?.spec['version'] === semver) return [];
  return [{ ...model, semver, event: 'model_version_alias.created', data }];
};

const tagsOf = ({ spec }: ResourceRow): Tags => (spec['tags'] ?? {}) as Tags;

const ofVersion = ({ namespace, spec, labels }: ResourceRow) => ({
  namespace,
  model: (spec['modelRef'] as { readonly name?: string } | undefined)?.name ?? '',
  semver: (spec['version'] as string | undefined) ?? labels[LABELS.mlflowVersion] ?? '',
});
