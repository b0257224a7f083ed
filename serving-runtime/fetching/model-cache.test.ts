import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findCached, keepFolder, newPartialFolder } from './model-cache.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';

const bytes = Buffer.from('a model');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const digest = `sha256:${sha256}`;

test('in a shared cache downloads of other pods go on; those that were left are removed', async () => {
  await using cache = await temporaryFolder();
  const ours = await newPartialFolder(cache.path, true);
  const left = join(cache.path, '.part-left');
  await mkdir(left);
  await writeFile(join(left, 'model.onnx'), bytes);
  // Both its folder and its file were last written in 1970.
  for (const path of [join(left, 'model.onnx'), left]) await utimes(path, 1, 1);
  const another = await newPartialFolder(cache.path, true);
  const names = (await readdir(cache.path)).map((name) => join(cache.path, name));
  expect(names.toSorted()).toEqual([ours, another].toSorted());
});

test.each([
  ['whole, it stays', bytes, 1],
  ['damaged, ours takes its place', Buffer.from('another model'), 0],
])('where another pod was faster and its copy is %s', async (_what, theirs, left) => {
  await using cache = await temporaryFolder();
  await mkdir(join(cache.path, sha256));
  await writeFile(join(cache.path, sha256, 'model.onnx'), theirs);
  const ours = await newPartialFolder(cache.path);
  await writeFile(join(ours, 'model.onnx'), bytes);
  expect(await keepFolder(ours, cache.path, digest)).toBe(join(cache.path, sha256));
  expect(await findCached(cache.path, digest)).toMatchObject({ digest });
  expect((await readdir(cache.path)).filter((name) => name.startsWith('.part-'))).toHaveLength(
    left,
  );
});
