import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { digestOf, inspectModel } from './inspect.ts';
import { InvalidModel } from './invalid-model.ts';

const iris = readFileSync(
  new URL('../../serving-runtime/testing/models/iris.onnx', import.meta.url),
);
const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

test('one pass gives digest, size and signature', async () => {
  const inspection = await inspectModel(Readable.from([iris.subarray(0, 100), iris.subarray(100)]));
  expect(inspection.digest).toBe(sha256(iris));
  expect(inspection.sizeBytes).toBe(518);
  expect(inspection.model).toMatchObject({ inputs: [{ name: 'X' }] });
});

test('a file that is no model has its digest all the same', async () => {
  const zip = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(300_000, 7)]);
  const inspection = await inspectModel(Readable.from([zip.subarray(0, 1000), zip.subarray(1000)]));
  expect(inspection.digest).toBe(sha256(zip));
  expect(inspection.sizeBytes).toBe(300_004);
  expect(inspection.model).toBeInstanceOf(InvalidModel);
});

test('a failure of the source is not a verdict on the model', async () => {
  const broken = Readable.from(
    (async function* () {
      yield iris.subarray(0, 10);
      throw new Error('connection reset');
    })(),
  );
  await expect(inspectModel(broken)).rejects.toThrow('connection reset');
});

test('bytes that are no model are digested', async () => {
  expect(await digestOf(Readable.from([Buffer.from('a'), Buffer.from('b')]))).toEqual({
    digest: sha256(Buffer.from('ab')),
    sizeBytes: 2,
  });
});
