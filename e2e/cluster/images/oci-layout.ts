import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Manifest = { readonly mediaType?: string };

type Descriptor = {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
};

/**
 * Turns images that buildah wrote as `dir:` into one OCI layout, moving their blobs. Written here
 * because buildah compresses all layers of an `oci:` target, which takes longer than all the rest.
 */
export function assembleOciLayout(target: string, images: ReadonlyMap<string, string>): void {
  const blobs = join(target, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const manifests = [...images].map(([ref, folder]) => moveImage(ref, folder, blobs));
  writeFileSync(join(target, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(join(target, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

function moveImage(ref: string, folder: string, blobs: string): Descriptor {
  const manifest = readFileSync(join(folder, 'manifest.json'));
  const { mediaType } = JSON.parse(manifest.toString()) as Manifest;
  const digest = createHash('sha256').update(manifest).digest('hex');
  for (const name of readdirSync(folder).filter((file) => /^[0-9a-f]{64}$/.test(file))) {
    renameSync(join(folder, name), join(blobs, name));
  }
  renameSync(join(folder, 'manifest.json'), join(blobs, digest));
  return {
    mediaType: mediaType ?? 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${digest}`,
    size: statSync(join(blobs, digest)).size,
    // containerd takes the full name from this annotation, and else invents a prefix.
    annotations: { 'io.containerd.image.name': ref },
  };
}
