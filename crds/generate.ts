/**
 * Writes everything that follows from the definitions: `crds/<plural>.yaml`, `crds/REFERENCE.md`
 * and the chart's CRD templates. With --check nothing is written; files that are not as they would
 * be written are named, and the exit code is 1.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/**
 * What the command does: writes, or with `check` only looks, and reports line by line to `say`.
 * The exit code is 1 while anything is not as it should be.
 */
export function generateCommand(root: string, check: boolean, say: (line: string) => void): number {
  if (!check) for (const path of generate(root)) say(`wrote ${path}`);
  const drift = findDrift(root);
  for (const { path, why } of drift) say(`${path}: ${why}`);
  if (drift.length === 0) return 0;
  say(
    check
      ? 'Run `make generate` and commit what it writes.'
      : 'Delete the files that are left over: no kind has them any more.',
  );
  return 1;
}

if (import.meta.main) {
  process.exitCode = generateCommand(ROOT, process.argv.includes('--check'), console.log);
}
