/** The file that lists what a process serves: YAML, or JSON. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { load as parseYaml } from 'js-yaml';
import { z } from 'zod';
import type { ModelSource } from '../fetching/source-setting.ts';
import { ensembleNode } from '../ensemble/graph.ts';
import { ModelFailure } from '../model-failure.ts';
import { isDigest } from '../protocol/artifact-grant.ts';
import type { Catalog, CatalogEntry } from './catalog.ts';
import { idOf } from '../model-identity.ts';

/** Reads a source as MLOPS_MODEL_SOURCE has it; adds to `faults` where it is none. */
export type ReadSource = (value: string, faults: string[]) => ModelSource | undefined;

const maxFileBytes = 1024 * 1024;
const maxEntries = 1000;

const name = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9])?$/, {
  error: 'is no name: letters, digits, - _ and ., beginning and ending with a letter or digit',
});
const identity = { name, version: name, load: z.boolean().default(true) };
const fileSchema = z.strictObject({
  models: z
    .array(
      z.union(
        [
          z.strictObject({
            ...identity,
            source: z.string(),
            digest: z.string().refine(isDigest, 'is not sha256: and 64 hexadecimal digits'),
          }),
          z.strictObject({ ...identity, ensemble: ensembleNode }),
        ],
        { error: 'has neither source and digest nor ensemble' },
      ),
    )
    .min(1, 'lists no model')
    .max(maxEntries, `lists over ${String(maxEntries)} models`),
});

type Listed = z.infer<typeof fileSchema>['models'][number];

/** Throws ModelFailure `InvalidConfig` listing every fault, with its place in the file. */
export async function readCatalogFile(path: string, readSource: ReadSource): Promise<Catalog> {
  return parseCatalog(await readText(path), path, readSource);
}

export function parseCatalog(text: string, path: string, readSource: ReadSource): Catalog {
  const parsed = fileSchema.safeParse(readYaml(text, path));
  if (!parsed.success) {
    throw invalid(
      path,
      parsed.error.issues.flatMap((issue) => explain(issue, [])),
    );
  }
  const faults: string[] = [];
  const catalog = parsed.data.models.flatMap((listed, i) => {
    const found: string[] = [];
    const entry = toEntry(listed, dirname(path), (value) => readSource(value, found));
    faults.push(...found.map((fault) => `models[${String(i)}].source: ${fault}`));
    return entry ?? [];
  });
  const ids = catalog.map(idOf);
  const repeated = catalog.find((entry, i) => ids.indexOf(idOf(entry)) !== i);
  if (repeated !== undefined) {
    faults.push(`models: version "${repeated.version}" of "${repeated.model}" is listed twice`);
  }
  if (faults.length > 0) throw invalid(path, faults);
  return catalog;
}

function toEntry(
  listed: Listed,
  folder: string,
  readSource: (value: string) => ModelSource | undefined,
): CatalogEntry | undefined {
  const { name: model, version, load } = listed;
  if ('ensemble' in listed) {
    const graph = listed.ensemble;
    const digest = createHash('sha256').update(JSON.stringify(graph)).digest('hex');
    const content = { kind: 'ensemble', graph } as const;
    return { model, version, load, digest: `sha256:${digest}`, content };
  }
  // Beside the file, as a folder of models is moved as a whole.
  const isRelative = !/^(\/|[a-z0-9+]+:\/\/)/.test(listed.source);
  const source = readSource(isRelative ? resolve(folder, listed.source) : listed.source);
  if (source === undefined) return undefined;
  return { model, version, load, digest: listed.digest, content: { kind: 'onnx', source } };
}

async function readText(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > maxFileBytes) throw new Error('is over 1 MiB');
    return await readFile(path, 'utf8');
  } catch (error) {
    throw invalid(path, [`cannot be read: ${messageOf(error)}`]);
  }
}

function readYaml(text: string, path: string): unknown {
  try {
    const value = parseYaml(text);
    countParts(value, { left: maxParts }, 0);
    return value;
  } catch (error) {
    throw invalid(path, [`is no YAML: ${messageOf(error)}`]);
  }
}

const maxParts = 100_000;
const maxNesting = 100;

/** Anchors make a small text a huge or endless tree. */
function countParts(value: unknown, room: { left: number }, depth: number): void {
  room.left -= 1;
  if (room.left < 0 || depth > maxNesting) throw new Error('it is too large or nested too deep');
  if (typeof value !== 'object' || value === null) return;
  for (const each of Object.values(value)) countParts(each, room, depth + 1);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const invalid = (path: string, faults: readonly string[]): ModelFailure =>
  new ModelFailure('InvalidConfig', `the list of models ${path}: ${faults.join('; ')}`);

/** Of alternatives that all fail, what is wrong with the one with the fewest and deepest faults. */
function explain(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): readonly string[] {
  const at = [...above, ...issue.path];
  const nearest =
    issue.code === 'invalid_union'
      ? issue.errors
          .filter((errors) => errors.length > 0)
          .toSorted((a, b) => a.length - b.length || depthOf(b) - depthOf(a))[0]
      : undefined;
  if (nearest !== undefined && depthOf(nearest) > 0) {
    return nearest.flatMap((each) => explain(each, at));
  }
  return [`${formatPath(at)} ${issue.message}`];
}

const depthOf = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map(({ path }) => path.length));

const formatPath = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${String(part)}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '') || 'the file';
