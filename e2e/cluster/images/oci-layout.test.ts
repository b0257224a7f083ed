import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { assembleOciLayout } from './oci-layout.ts';

test('joins images that share a layer into one layout, each under its full name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layout-'));
  const layer = 'a'.repeat(64);
  for (const image of ['1', '2']) {
    mkdirSync(join(folder, image));
    writeFileSync(join(folder, image, layer), 'layer');
    writeFileSync(join(folder, image, 'manifest.json'), `{"image":${image}}`);
    writeFileSync(join(folder, image, 'version'), 'Directory Transport Version: 1.1');
  }
  const target = join(folder, 'layout');
  assembleOciLayout(
    target,
    new Map([
      ['localhost/a:1', join(folder, '1')],
      ['localhost/b:2', join(folder, '2')],
    ]),
  );
  const index = JSON.parse(readFileSync(join(target, 'index.json'), 'utf8')) as {
    manifests: { digest: string; size: number; annotations: Record<string, string> }[];
  };
  expect(index.manifests.map(({ annotations }) => annotations)).toEqual([
    { 'io.containerd.image.name': 'localhost/a:1' },
    { 'io.containerd.image.name': 'localhost/b:2' },
  ]);
  expect(index.manifests.map(({ size }) => size)).toEqual([11, 11]);
  expect(existsSync(join(target, 'blobs/sha256', layer))).toBe(true);
  rmSync(folder, { recursive: true });
});
