import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { InvalidArtifactPath, cleanArtifactPath } from './artifact-path.ts';
import {
  modelFileKey,
  modelVersionPrefix,
  namespacePrefix,
  parseStorageUri,
  runArtifactKey,
} from './locations.ts';

const scope = { namespace: 'demo', bucket: 'mlops', ownCredentials: false };
const reasonOf = (uri: string, ownCredentials = false): string => {
  const location = parseStorageUri(uri, { ...scope, ownCredentials });
  return location.scheme === 'refused' ? location.reason : `accepted ${location.scheme}`;
};

describe('keys in the bundled store', () => {
  test('begin with the namespace', () => {
    expect(namespacePrefix('demo')).toBe('demo/');
    expect(runArtifactKey('demo', 'ab12', 'model/model.onnx')).toBe(
      'demo/runs/ab12/artifacts/model/model.onnx',
    );
    const version = { namespace: 'demo', model: 'digits', version: '1.0.0-rc.1+build' };
    expect(modelVersionPrefix(version)).toBe('demo/models/digits/1.0.0-rc.1+build/');
    expect(modelFileKey(version, 'model.onnx')).toBe(
      'demo/models/digits/1.0.0-rc.1+build/model.onnx',
    );
  });

  test.each(['', '..', 'a/b', '.hidden', 'a\u0000'])('never take %j as a name', (name) => {
    expect(() => runArtifactKey(name, 'ab12', 'x')).toThrow('cannot be part of an artifact key');
  });
});

describe('an artifact path', () => {
  test.each([
    ['model.onnx', 'model.onnx'],
    ['plots/roc curve.png', 'plots/roc curve.png'],
    ['modèle/日本.txt', 'modèle/日本.txt'],
    ['folder/', 'folder'],
    ['..data/a..b', '..data/a..b'],
    ['100%.txt', '100%.txt'],
  ])('%j is kept as %j', (path, want) => {
    expect(cleanArtifactPath(path)).toBe(want);
  });

  test.each([
    ['', 'Empty'],
    ['/', 'Empty'],
    ['/etc/passwd', 'Absolute'],
    ['C:/windows', 'Absolute'],
    ['c:', 'Absolute'],
    ['../secret', 'Traversal'],
    ['a/../../b', 'Traversal'],
    ['a/./b', 'Traversal'],
    ['a//b', 'Traversal'],
    ['a//', 'Traversal'],
    ['..\\secret', 'Backslash'],
    ['%2e%2e/secret', 'Encoded'],
    ['a%2Fb', 'Encoded'],
    ['%252e%252e', 'Encoded'],
    ['a/.. ', 'Traversal'],
    ['a\u0000.png', 'Control'],
    ['a\nb', 'Control'],
    ['a\ud800', 'Control'],
    ['a'.repeat(701), 'TooLong'],
  ])('%j is refused as %s', (path, wantReason) => {
    expect(() => cleanArtifactPath(path)).toThrow(InvalidArtifactPath);
    try {
      cleanArtifactPath(path);
    } catch (error) {
      expect(error).toMatchObject({ code: 'InvalidArtifactPath', reason: wantReason });
    }
  });

  test('never leaves its run, whatever is sent', () => {
    const parts = fc.constantFrom('..', '.', '/', '\\', '%2e', '%2F', 'a', ' ', '\u0000', 'C:');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 8 }), (path) => {
        try {
          const key = runArtifactKey('demo', 'ab12', path.join(''));
          const base = 's3://bucket/demo/runs/ab12/artifacts/';
          expect(new URL(`s3://bucket/${key}`).href.startsWith(base)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArtifactPath);
        }
      }),
    );
  });
});

describe('a storage URI', () => {
  test('names a file or a folder of the namespace in the bundled store', () => {
    expect(parseStorageUri('s3://mlops/demo/models/digits/1.0.0/model.onnx', scope)).toEqual({
      scheme: 's3',
      bucket: 'mlops',
      key: 'demo/models/digits/1.0.0/model.onnx',
      folder: false,
      bundled: true,
    });
    expect(parseStorageUri('s3://mlops/demo/folder/', scope)).toMatchObject({ folder: true });
  });

  test('may name any bucket when the object brings credentials', () => {
    expect(
      parseStorageUri('s3://models/digits/model.onnx', { ...scope, ownCredentials: true }),
    ).toMatchObject({ bucket: 'models', key: 'digits/model.onnx', bundled: false });
  });

  test('may be an https URL or a path on a volume claim', () => {
    expect(parseStorageUri('https://example.com/a%20b/model.onnx?raw=1', scope)).toEqual({
      scheme: 'https',
      url: 'https://example.com/a%20b/model.onnx?raw=1',
      host: 'example.com',
    });
    expect(parseStorageUri('pvc://models/digits/model.onnx', scope)).toEqual({
      scheme: 'pvc',
      claim: 'models',
      path: 'digits/model.onnx',
    });
  });

  test('has its host in the form addresses are checked in', () => {
    expect(parseStorageUri('https://0x7f.1/m.onnx', scope)).toMatchObject({ host: '127.0.0.1' });
    expect(parseStorageUri('https://2130706433/m.onnx', scope)).toMatchObject({
      host: '127.0.0.1',
    });
  });

  test.each([
    ['', 'Malformed'],
    ['model.onnx', 'Malformed'],
    ['s3:/mlops/demo/x', 'Malformed'],
    ['s3:///demo/x', 'Malformed'],
    ['s3://UPPER/demo/x', 'Malformed'],
    ['s3://mlops:9000/demo/x', 'Malformed'],
    ['s3://mlops/demo/x?versionId=1', 'Malformed'],
    ['s3://mlops/demo/x#y', 'Malformed'],
    ['http://example.com/m.onnx', 'UnsupportedScheme'],
    ['file:///etc/passwd', 'UnsupportedScheme'],
    ['gs://bucket/x', 'UnsupportedScheme'],
    ['s3://key:secret@mlops/demo/x', 'CredentialsInUri'],
    ['https://user:pw@example.com/m.onnx', 'CredentialsInUri'],
    ['s3://mlops', 'UnsafePath'],
    ['s3://mlops/', 'UnsafePath'],
    ['s3://mlops/demo/../other/x', 'UnsafePath'],
    ['s3://mlops/demo/%2e%2e/other/x', 'UnsafePath'],
    ['s3://mlops/demo/%2e%2e%2fother/x', 'UnsafePath'],
    ['s3://mlops/demo//x', 'UnsafePath'],
    ['s3://mlops//demo/x', 'UnsafePath'],
    ['s3://mlops/demo/\u0000', 'UnsafePath'],
    ['s3://mlops/demo\\..\\other', 'UnsafePath'],
    ['s3://elsewhere/demo/x', 'OtherBucket'],
    ['s3://mlops/other/x', 'OtherNamespace'],
    ['s3://mlops/demo-2/x', 'OtherNamespace'],
    ['s3://mlops/demo', 'OtherNamespace'],
    ['https://', 'Malformed'],
    ['https:///m.onnx', 'Malformed'],
    ['https://example.com', 'Malformed'],
    ['https://example.com/', 'Malformed'],
    ['https://exa mple.com/m', 'Malformed'],
    ['https://example.com\\@evil.com/m', 'CredentialsInUri'],
    ['https://example.com/a\tb', 'Malformed'],
    ['https://example.com/m#part', 'Malformed'],
    ['https://[::1/m', 'Malformed'],
    ['https://example.com/a/../b', 'UnsafePath'],
    ['https://example.com/a/%2E%2e/b', 'UnsafePath'],
    ['https://example.com/a%2fb', 'UnsafePath'],
    ['https://example.com/a%00', 'UnsafePath'],
    ['https://example.com/a%ff', 'UnsafePath'],
    ['https://example.com/a%252e', 'UnsafePath'],
    ['pvc://', 'Malformed'],
    ['pvc://claim', 'UnsafePath'],
    ['pvc://Claim/x', 'Malformed'],
    ['pvc://claim/../x', 'UnsafePath'],
  ])('%j is refused as %s', (uri, wantReason) => {
    expect(reasonOf(uri)).toBe(wantReason);
  });

  test('cannot climb out even with credentials of its own', () => {
    expect(reasonOf('s3://models/../x', true)).toBe('UnsafePath');
  });

  test('refusals say what to do', () => {
    const refusal = parseStorageUri('s3://elsewhere/x', scope);
    expect(refusal).toMatchObject({ message: expect.stringContaining('spec.secretRef') });
  });
});
