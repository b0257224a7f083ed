import { describe, expect, test } from '@jest/globals';
import { objectUrl } from './s3-source.ts';
import { readStorageCredentials } from './storage-credentials.ts';

const amazon = { sessionToken: undefined, region: 'us-east-1', endpoint: undefined };
const document = (more: object = {}) =>
  JSON.stringify({ type: 's3', access_key_id: 'id', secret_access_key: 'secret', ...more });

function refusal(files: Record<string, string>): string {
  try {
    readStorageCredentials(files, 'mine');
  } catch (error) {
    expect(error).toMatchObject({ code: 'NotAuthorized', retry: 'refused' });
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

describe("a Secret's keys", () => {
  test("are those of AWS's tools", () => {
    const files = {
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'token',
      AWS_DEFAULT_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL: 'https://minio.example.com:9000/',
    };
    expect(readStorageCredentials(files, 'mine')).toEqual({
      accessKeyId: 'id',
      secretAccessKey: 'secret',
      sessionToken: 'token',
      region: 'eu-central-1',
      endpoint: 'https://minio.example.com:9000',
    });
  });

  test.each([
    [{ awsAccessKeyID: 'id', awsSecretAccessKey: 'secret' }],
    [{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: '' }],
    [{ anything: document() }],
    [{ notes: 'not JSON', list: '[1]', anything: document({ region: '' }) }],
  ])('are enough as %j', (files) => {
    expect(readStorageCredentials(files, 'mine')).toEqual({
      accessKeyId: 'id',
      secretAccessKey: 'secret',
      ...amazon,
    });
  });

  test.each([
    [{ a: document({ region: 'r-a' }), b: document({ region: 'r-b', bucket: 'mine' }) }, 'r-b'],
    [{ a: document(), default_s3: document({ region: 'r-s3' }) }, 'r-s3'],
    [{ a: document(), default: document({ region: 'r-d' }) }, 'r-d'],
    [{ a: JSON.stringify({ type: 'gs' }), b: document({ region: 'r-b' }) }, 'r-b'],
  ])("of a storage-config are the bucket's, or the default ones (%#)", (files, region) => {
    expect(readStorageCredentials(files, 'mine').region).toBe(region);
  });

  test.each([
    [{}, 'neither AWS_ACCESS_KEY_ID'],
    [{ a: document(), b: document() }, 'neither AWS_ACCESS_KEY_ID'],
    [{ AWS_ACCESS_KEY_ID: 'id' }, 'is missing'],
    [{ a: document({ secret_access_key: '' }) }, 'is missing'],
    [{ a: document({ endpoint_url: 'minio:9000' }) }, 'not an http(s) URL'],
  ])('are refused as %j', (files, message) => {
    const told = refusal(files);
    expect(told).toContain(message);
    expect(told).not.toContain('minio:9000');
  });
});

describe("an object's URL", () => {
  test.each([
    [
      'mine',
      { region: 'eu-west-1', endpoint: undefined },
      'https://mine.s3.eu-west-1.amazonaws.com/a%20b',
    ],
    [
      'my.own',
      { region: 'eu-west-1', endpoint: undefined },
      'https://s3.eu-west-1.amazonaws.com/my.own/a%20b',
    ],
    [
      'mine',
      { region: 'cn-north-1', endpoint: undefined },
      'https://mine.s3.cn-north-1.amazonaws.com.cn/a%20b',
    ],
    ['mine', { region: 'x', endpoint: 'http://minio:9000' }, 'http://minio:9000/mine/a%20b'],
  ])('of bucket %s with %j', (bucket, place, url) => {
    expect(objectUrl({ bucket, key: 'a b' }, place)).toBe(url);
  });
});
