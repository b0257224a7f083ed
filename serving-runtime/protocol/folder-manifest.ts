export type FolderEntry = { readonly path: string; readonly sha256: string };

/**
 * The text whose SHA-256 is the digest of a folder: one line `<sha256>  <path>` for each file, the
 * lines sorted by code unit and each ended by a newline, paths relative with `/`. The same as
 * `find . -type f -printf '%P\0' | xargs -0 sha256sum | LC_ALL=C sort`.
 */
export function folderManifest(entries: readonly FolderEntry[]): string {
  return entries
    .map(({ path, sha256 }) => `${sha256}  ${path}\n`)
    .sort()
    .join('');
}
