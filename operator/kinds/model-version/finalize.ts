import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { modelVersionPrefix, parseStorageUri } from '../../artifacts/locations.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Finalized, Pass } from '../../runtime/reconciler.ts';
import type { StoragePorts } from '../ports.ts';

/** The folder of the bundled store that belongs to this version alone. */
const folderOf = ({ metadata, spec }: ModelVersion): string =>
  modelVersionPrefix({
    namespace: metadata.namespace,
    model: spec.modelRef.name,
    version: spec.version,
  });

/** Whether deleting the object must delete bytes: it says so, and they lie in its own folder. */
export const ownsItsBytes = (version: ModelVersion, bucket: string): boolean =>
  version.spec.deletionPolicy === 'Delete' && isInside(version, folderOf(version), bucket);

const isInside = (version: ModelVersion, folder: string, bucket: string): boolean => {
  const location = parseStorageUri(version.spec.storageUri, {
    namespace: version.metadata.namespace,
    bucket,
    ownCredentials: version.spec.secretRef !== undefined,
  });
  return location.scheme === 's3' && location.bundled && location.key.startsWith(folder);
};

/** Deletes the version's folder, unless another version refers to bytes in it. */
export const finalize = async (
  version: ModelVersion,
  pass: Pass,
  { artifacts, children }: StoragePorts,
): Promise<Finalized> => {
  const folder = folderOf(version);
  const others = await pass.live.list<ModelVersion>(ownType(modelVersion), {
    namespace: version.metadata.namespace,
  });
  const user = others.items.find(
    (other) =>
      other.metadata.uid !== version.metadata.uid && isInside(other, folder, children.bucket),
  );
  if (user !== undefined) {
    pass.event(
      'Normal',
      'BytesKept',
      `The bytes in s3://${children.bucket}/${folder} stay, because ModelVersion ${user.metadata.name} refers to them.`,
    );
    return { done: true };
  }
  const count = await artifacts.deletePrefix(folder);
  if (count > 0)
    pass.event(
      'Normal',
      'BytesDeleted',
      `Deleted ${count} file(s) of version ${version.spec.version}.`,
    );
  return { done: true };
};
