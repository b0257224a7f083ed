import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceReader } from '../config.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { parseCatalog, readCatalogFile } from './catalog-file.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const read = sourceReader({ MLOPS_S3_CREDENTIALS_DIR: '/s3' });
const parse = (text: string) => parseCatalog(text, '/etc/models/list.yaml', read);

describe('a list of models', () => {
  test('has models with their sources, beside the file or elsewhere, and ensembles', () => {
    const catalog = parse(`
models:
  - {name: a, version: 1.0.0, source: a/model.onnx, digest: "${digest}"}
  - {name: b, version: v2, source: "s3://bucket/b.onnx", digest: "${digest}", load: false}
  - name: both
    version: 1.0.0
    ensemble:
      sequence:
        - parallel: [{model: a}, {model: b, version: v2}]
          combine: mean
          weights: [2, 1]
        - switch: [{when: "tensors.y[0] > 1.0", then: {model: a, inputs: {x: y}}}]
          otherwise: {model: b, inputs: {x: y}}
`);
    expect(catalog.slice(0, 2)).toEqual([
      {
        ...{ model: 'a', version: '1.0.0', load: true, digest },
        content: { kind: 'onnx', source: { kind: 'path', path: '/etc/models/a/model.onnx' } },
      },
      {
        ...{ model: 'b', version: 'v2', load: false, digest },
        content: {
          kind: 'onnx',
          source: { kind: 's3', bucket: 'bucket', key: 'b.onnx', credentialsDir: '/s3' },
        },
      },
    ]);
    expect(catalog[2]).toMatchObject({
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as unknown,
      content: { kind: 'ensemble', graph: { sequence: [{ weights: [2, 1] }, {}] } },
    });
  });

  test.each([
    ['models: []', 'models lists no model'],
    ['[', 'is no YAML'],
    ['models: &a [*a]', 'too large or nested too deep'],
    ['other: 1', 'models'],
    [
      `models: [{name: "../x", version: "1", source: /m, digest: "${digest}"}]`,
      'models[0].name is no name',
    ],
    [
      'models: [{name: a, version: "1", source: /m, digest: md5}]',
      'models[0].digest is not sha256:',
    ],
    [
      `models: [{name: a, version: "1", source: "ftp://x", digest: "${digest}"}]`,
      'models[0].source: the model source is not',
    ],
    ['models: [{name: a, version: "1", ensemble: {model: m, bogus: 1}}]', 'bogus'],
    [
      'models: [{name: a, version: "1", ensemble: {parallel: [{model: m}], combine: max}}]',
      'combine',
    ],
    [
      `models: [{name: a, version: "1", source: /m, digest: "${digest}"}, {name: a, version: "1", source: /n, digest: "${digest}"}]`,
      'version "1" of "a" is listed twice',
    ],
  ])('%s is refused: %s', (text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow('the list of models /etc/models/list.yaml');
  });

  test('is read from its file', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'models.json');
    await expect(readCatalogFile(path, read)).rejects.toThrow('cannot be read');
    await writeFile(
      path,
      JSON.stringify({ models: [{ name: 'a', version: '1', source: 'm', digest }] }),
    );
    expect(await readCatalogFile(path, read)).toHaveLength(1);
    await writeFile(path, ' '.repeat(2 ** 20 + 1));
    await expect(readCatalogFile(path, read)).rejects.toThrow('is over 1 MiB');
  });
});
