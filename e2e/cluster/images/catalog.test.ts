import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { readConfig, type Config } from '../config.ts';
import { baseRef, imageRef } from './catalog.ts';
import { folderParts, shortHash } from './hash.ts';

let repository = '';
let config: Config;

beforeAll(() => {
  repository = mkdtempSync(join(tmpdir(), 'catalog-'));
  config = { ...readConfig({}), repository };
  for (const folder of ['e2e/cluster/images', 'e2e/cluster/go']) {
    cpSync(join(readConfig({}).repository, folder), join(repository, folder), { recursive: true });
  }
});
afterAll(() => rmSync(repository, { recursive: true }));

describe('image refs', () => {
  test('stay the same while nothing changes', () => {
    expect(imageRef(config, 'mlops-s3')).toBe(imageRef(config, 'mlops-s3'));
    expect(imageRef(config, 'mlops-s3')).toMatch(/^localhost\/mlops-s3:[0-9a-f]{12}$/);
  });

  test('change with a file of the context', () => {
    const before = imageRef(config, 'mlops-postgresql');
    writeFileSync(join(repository, 'e2e/cluster/images/postgresql/entrypoint.sh'), 'other');
    expect(imageRef(config, 'mlops-postgresql')).not.toBe(before);
  });

  test('change with the base image', () => {
    const other = { ...config, baseImage: 'registry.example.com/debian:1' };
    expect(baseRef(other, 'debian')).toBe('registry.example.com/debian:1');
    expect(imageRef(other, 'mlops-s3')).not.toBe(imageRef(config, 'mlops-s3'));
    expect(imageRef(other, 'pause')).toBe(imageRef(config, 'pause'));
  });

  test('name the registry, with the tag unchanged', () => {
    const local = imageRef(config, 'mlops-s3');
    const other = imageRef({ ...config, registry: 'registry.example.com/team' }, 'mlops-s3');
    expect(other).toBe(local.replace('localhost', 'registry.example.com/team'));
  });
});

describe('hashes', () => {
  test('tell parts apart that would read the same when joined', () => {
    expect(shortHash(['ab', 'c'])).not.toBe(shortHash(['a', 'bc']));
  });

  test('see names, contents and the executable bit, and no compiled Python', () => {
    const folder = join(repository, 'folder');
    mkdirSync(join(folder, '__pycache__'), { recursive: true });
    writeFileSync(join(folder, 'run.sh'), 'x', { mode: 0o755 });
    writeFileSync(join(folder, '__pycache__/run.pyc'), 'x');
    expect(folderParts(folder)).toEqual([
      'run.sh',
      'x',
      '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
    ]);
  });
});
