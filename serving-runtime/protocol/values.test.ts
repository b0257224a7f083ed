import { describe, expect, test } from '@jest/globals';
import { isDigest, parseArtifactGrant } from './artifact-grant.ts';
import { bytesPerElement, datatypes, isDatatype } from './datatypes.ts';
import { parseDuration } from './duration.ts';
import { folderManifest } from './folder-manifest.ts';
import { elementCount, formatShape, shapeFits } from './signature.ts';

test('durations are sums of whole units', () => {
  expect(parseDuration('10s')).toBe(10_000);
  expect(parseDuration('1m30s')).toBe(90_000);
  expect(parseDuration('250ms')).toBe(250);
  expect(parseDuration('1d2h')).toBe(93_600_000);
  for (const text of ['', '10', '1.5s', '-1s', '10 s', 's']) {
    expect(parseDuration(text)).toBeUndefined();
  }
});

describe('shapes', () => {
  test('-1 accepts any size, a fixed size only itself, another rank never', () => {
    expect(shapeFits([7, 4], [-1, 4])).toBe(true);
    expect(shapeFits([0, 4], [-1, 4])).toBe(true);
    expect(shapeFits([7, 5], [-1, 4])).toBe(false);
    expect(shapeFits([4], [-1, 4])).toBe(false);
    expect(shapeFits([2, 2], [])).toBe(true);
  });

  test('count their elements', () => {
    expect(elementCount([])).toBe(1);
    expect(elementCount([3, 4])).toBe(12);
    expect(elementCount([3, 0])).toBe(0);
    expect(formatShape([-1, 4])).toBe('[-1, 4]');
  });
});

test('datatypes know their size, BYTES has none', () => {
  expect(datatypes).toHaveLength(14);
  expect(isDatatype('INT64')).toBe(true);
  expect(isDatatype('int64')).toBe(false);
  expect(bytesPerElement('FP16')).toBe(2);
  expect(bytesPerElement('BF16')).toBe(2);
  expect(bytesPerElement('BYTES')).toBeUndefined();
});

test('the manifest of a folder has sorted lines whatever the order of its files', () => {
  const a = { path: 'b/weights.bin', sha256: '22' };
  const b = { path: 'model.onnx', sha256: '11' };
  const wanted = '11  model.onnx\n22  b/weights.bin\n';
  expect(folderManifest([a, b])).toBe(wanted);
  expect(folderManifest([b, a])).toBe(wanted);
});

describe('an artifact grant', () => {
  const grant = { url: 'https://s3/x?sig=1', digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 3 };

  test('has url, digest and size', () => {
    expect(parseArtifactGrant({ ...grant, more: 1 })).toEqual(grant);
    expect(isDigest(grant.digest)).toBe(true);
  });

  test.each([
    null,
    'text',
    { ...grant, url: 'nowhere' },
    { ...grant, url: 3 },
    { ...grant, digest: 'md5:1' },
    { ...grant, digest: undefined },
    { ...grant, sizeBytes: -1 },
    { ...grant, sizeBytes: '3' },
  ])('is refused when it is %j', (value) => {
    expect(parseArtifactGrant(value)).toBeUndefined();
  });
});
