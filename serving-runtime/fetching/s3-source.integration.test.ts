import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { s3ArtifactStore } from '../../operator/artifacts/s3-artifact-store.ts';
import { fetchModel } from './fetch-model.ts';
import { sha256 } from '../testing/artifact-server.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';

type Server = {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};
const server = JSON.parse(process.env['INTEGRATION_S3'] ?? '{}') as Server;
const bucket = `mine-${randomUUID()}`;
const key = 'models/a b (1)/modèle.onnx';
const bytes = Buffer.from('the bytes of a model of my own');
const largeKey = 'models/large.onnx';
const large = randomBytes(30_000_000);

const store = s3ArtifactStore({
  endpoint: server.endpoint,
  region: 'us-east-1',
  bucket,
  credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  await store.ensureBucket();
  const content = async function* () {
    yield bytes;
  };
  await store.put(key, content(), { maxBytes: 1000 });
  const largeContent = async function* () {
    yield large;
  };
  await store.put(largeKey, largeContent(), { maxBytes: large.length });
});
afterAll(() => store.deletePrefix('models/'));
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

/** A Secret as the kubelet mounts it: files behind links into a folder it can swap. */
async function mounted(secret: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder.path, 'secret');
  await mkdir(join(path, '..data'), { recursive: true });
  for (const [name, value] of Object.entries(secret)) {
    await writeFile(join(path, '..data', name), `${value}\n`);
    await symlink(join('..data', name), join(path, name));
  }
  return path;
}

async function fetchWith(secret: Readonly<Record<string, string>>, wanted = key) {
  const credentialsDir = await mounted(secret);
  return fetchModel(
    {
      source: { kind: 's3', bucket, key: wanted, credentialsDir },
      digest: undefined,
      cacheDir: join(folder.path, 'cache'),
      maxModelBytes: 100_000_000,
      fetchMs: 1000,
    },
    {
      now: () => 0,
      random: () => 0,
      sleep: async () => undefined,
      onAttemptFailed: () => undefined,
    },
    new AbortController().signal,
  );
}

const variables = {
  AWS_ACCESS_KEY_ID: server.accessKeyId,
  AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
  AWS_ENDPOINT_URL: server.endpoint,
};

describe("an S3 server of the user's own", () => {
  test("gives the bytes to the variables of AWS's tools", async () => {
    expect(await fetchWith(variables)).toMatchObject({
      digest: sha256(bytes),
      sizeBytes: bytes.length,
    });
  });

  test('gives a large object in ranges, whole', async () => {
    // In a process of its own, as in a pod: an error that nobody catches ends it.
    const program = join(import.meta.dirname, '..', 'testing', 'fetch-from-s3.ts');
    const cache = join(folder.path, 'cache');
    const args = [program, bucket, largeKey, await mounted(variables), cache];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(JSON.parse(stdout)).toMatchObject({
      digest: sha256(large),
      sizeBytes: 30_000_000,
    });
  });

  test("gives them to KServe's storage-config", async () => {
    const document = JSON.stringify({
      type: 's3',
      access_key_id: server.accessKeyId,
      secret_access_key: server.secretAccessKey,
      endpoint_url: server.endpoint,
      region: 'us-east-1',
    });
    expect(await fetchWith({ minio: document })).toMatchObject({ digest: sha256(bytes) });
  });

  test('refuses a wrong key in its own words, which hold no secret', async () => {
    const refused = fetchWith({ ...variables, AWS_SECRET_ACCESS_KEY: 'wrong-secret' });
    await expect(refused).rejects.toMatchObject({
      code: 'NotAuthorized',
      message: expect.stringMatching(/^the storage at \S+ answered 403: SignatureDoesNotMatch$/),
    });
  });

  test('says that nothing is there', async () => {
    await expect(fetchWith(variables, 'models/none.onnx')).rejects.toMatchObject({
      code: 'ArtifactNotFound',
    });
  });

  test('cannot be asked with a Secret that is not mounted', async () => {
    const refused = fetchModel(
      {
        source: { kind: 's3', bucket, key, credentialsDir: join(folder.path, 'none') },
        digest: undefined,
        cacheDir: join(folder.path, 'cache'),
        maxModelBytes: 1000,
        fetchMs: 0,
      },
      {
        now: () => 0,
        random: () => 0,
        sleep: async () => undefined,
        onAttemptFailed: () => undefined,
      },
      new AbortController().signal,
    );
    await expect(refused).rejects.toMatchObject({
      code: 'NotAuthorized',
      message: expect.stringContaining('is not mounted'),
    });
  });
});
