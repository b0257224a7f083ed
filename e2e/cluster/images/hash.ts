import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Twelve hex digits that change when any of the parts does. */
export function shortHash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

/** Path, mode and content of every file under a folder, in a fixed order. */
export function folderParts(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.includes('__pycache__') && statSync(join(folder, path)).isFile())
    .sort()
    .flatMap((path) => {
      const file = join(folder, path);
      const executable = (statSync(file).mode & 0o111) !== 0 ? 'x' : '-';
      return [path, executable, createHash('sha256').update(readFileSync(file)).digest('hex')];
    });
}
