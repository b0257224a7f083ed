/**
 * Writes everything that follows from the definitions: `crds/<plural>.yaml`, `crds/REFERENCE.md`
 * and the chart's CRD templates. With --check nothing is written; files that are not as they would
 * be written are named, and the exit code is 1.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { generatedFiles } from './generated-files.ts';

const ROOT = join(import.meta.dirname, '..');

export type Drift = { readonly path: string; readonly why: 'missing' | 'differs' | 'left over' };

/** Files under `root` that are not as the definitions want them. */
export function findDrift(root: string): readonly Drift[] {
  const wanted = generatedFiles();
  const drift: Drift[] = [];
  for (const [path, content] of wanted) {
    const file = join(root, path);
    if (!existsSync(file)) drift.push({ path, why: 'missing' });
    else if (readFileSync(file, 'utf8') !== content) drift.push({ path, why: 'differs' });
  }
  return [...drift, ...leftOver(root, wanted)];
}

/** Writes what differs and returns the paths written, relative to `root`. */
export function generate(root: string): readonly string[] {
  const wanted = generatedFiles();
  const stale = findDrift(root).filter(({ why }) => why !== 'left over');
  for (const { path } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), wanted.get(path) ?? '');
  }
  return stale.map(({ path }) => path);
}

function leftOver(root: string, wanted: ReadonlyMap<string, string>): Drift[] {
  const folders = new Set([...wanted.keys()].map((path) => dirname(path)));
  return [...folders]
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
    .filter((path) => path.endsWith('.yaml') && !wanted.has(path))
    .map((path) => ({ path, why: 'left over' }));
}

function main(check: boolean): number {
  if (!check) {
    for (const path of generate(ROOT))
      console.log(`wrote ${relative(process.cwd(), join(ROOT, path))}`);
  }
  const drift = findDrift(ROOT);
  for (const { path, why } of drift) console.error(`${path}: ${why}`);
  if (drift.length === 0) return 0;
  console.error(
    check
      ? 'Run `make generate` and commit what it writes.'
      : 'Delete the files that are left over: no kind has them any more.',
  );
  return 1;
}

if (import.meta.main) process.exitCode = main(process.argv.includes('--check'));
