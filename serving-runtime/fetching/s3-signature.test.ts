import { describe, expect, test } from '@jest/globals';
import { encodeKey, presignGet } from './s3-signature.ts';

/** The keys of AWS's own worked examples. */
const keys = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: undefined,
};
const scope = {
  region: 'us-east-1',
  now: new Date('2013-05-24T00:00:00Z'),
  expiresSeconds: 86_400,
};

describe('a presigned URL', () => {
  test("is the one of AWS's worked example", () => {
    const url = presignGet('https://examplebucket.s3.amazonaws.com/test.txt', keys, scope);
    expect(url).toBe(
      'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    );
  });

  test('carries the token of temporary credentials', () => {
    const url = presignGet('https://b.example.com/k', { ...keys, sessionToken: 'a/b' }, scope);
    expect(url).toContain('&X-Amz-Security-Token=a%2Fb&X-Amz-SignedHeaders=host&');
  });
});

test('a key is encoded by parts', () => {
  expect(encodeKey("models/a b/(1)'ü.onnx")).toBe('models/a%20b/%281%29%27%C3%BC.onnx');
});
