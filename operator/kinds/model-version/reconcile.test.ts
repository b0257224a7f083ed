import { readFile } from 'node:fs/promises';

import { beforeEach, describe, expect, test } from '@jest/globals';

import { modelVersion, type ModelVersion } from '../../../crds/schema/model-version.ts';
import { model } from '../../../crds/schema/model.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import {
  memoryArtifactStore,
  type MemoryArtifactStore,
} from '../../artifacts/memory-artifact-store.ts';
import { ArtifactStoreUnavailable } from '../../artifacts/artifact-errors.ts';
import { CORE_EVENT, JOB, POD } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import type { Ports } from '../ports.ts';
import { aModel, aVersion, DIGEST_A, DIGEST_B, someDefaults } from '../testing/builders.ts';
import { key, keysOf, World } from '../testing/world.ts';
import { modelVersionReconciler } from './reconcile.ts';

const MODEL = ownType(model);
const MODEL_VERSION = ownType(modelVersion);
const VERSION = key('digits-1.0.0');
const KEY = 'demo/models/digits/1.0.0/model.onnx';

let world: World;
let artifacts: MemoryArtifactStore;
let children: Ports['children'];

const start = (defaults: Partial<Ports['children']> = {}): void => {
  artifacts = memoryArtifactStore();
  children = someDefaults(defaults);
  world = new World([modelVersionReconciler({ artifacts, children })]);
};

const store = async (at: string, bytes: Uint8Array): Promise<string> =>
  (await artifacts.put(at, chunksOf(bytes), { maxBytes: 1e9 })).digest;

async function* chunksOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

const onnx = async (): Promise<Buffer> =>
  readFile(new URL('../../../serving-runtime/testing/models/identity.onnx', import.meta.url));

const register = async (parts: Parameters<typeof aVersion>[1] = {}, version = '1.0.0') =>
  world.put<ModelVersion>(MODEL_VERSION, aVersion(version, parts));

/** Two passes: one starts reading, the next sees what was found. */
const settle = async (at = VERSION): Promise<string | undefined> => {
  await world.reconcile(MODEL_VERSION, at);
  await world.reconcile(MODEL_VERSION, at);
  return world.condition(MODEL_VERSION, at);
};

const statusOf = async () => (await world.get<ModelVersion>(MODEL_VERSION, VERSION))?.status;

/** A serving pod whose runtime found other bytes than it should. */
const complain = async (name: string): Promise<void> => {
  const message = JSON.stringify({ reason: 'DigestMismatch', message: 'other bytes' });
  await world.put(POD, {
    metadata: {
      name,
      namespace: 'demo',
      labels: { [LABELS.modelVersion]: 'digits-1.0.0', [LABELS.deployment]: 'digits' },
    },
    status: {
      containerStatuses: [{ name: 'serving', lastState: { terminated: { exitCode: 1, message } } }],
    },
  });
};

beforeEach(async () => {
  start();
  await world.put(MODEL, aModel());
});

describe('a version in the bundled store', () => {
  test('is Ready once its bytes are read, with digest, size and signature', async () => {
    const bytes = await onnx();
    const digest = await store(KEY, bytes);
    await register({ spec: { verification: { digest } } });
    await world.reconcile(MODEL_VERSION, VERSION);
    expect(await world.condition(MODEL_VERSION, VERSION)).toMatch(/^Unknown WaitingForArtifact/);
    await world.reconcile(MODEL_VERSION, VERSION);
    expect(await world.condition(MODEL_VERSION, VERSION)).toMatch(/^True Ready/);
    expect(await world.condition(MODEL_VERSION, VERSION, 'ArtifactVerified')).toMatch(/^True/);
    expect(await world.condition(MODEL_VERSION, VERSION, 'Approved')).toMatch(/^True NotRequired/);
    const status = await statusOf();
    expect(status).toMatchObject({ digest, sizeBytes: bytes.length });
    expect(status?.inputs).toHaveLength(13);
    expect(status?.outputs).toHaveLength(13);
  });

  test('is not read again while its verdict stands, also by a new process', async () => {
    await store(KEY, await onnx());
    await register();
    await settle();
    await artifacts.delete(KEY);
    world.restart();
    expect(await settle()).toMatch(/^True Ready/);
  });

  test('with other bytes than registered names both digests and stalls', async () => {
    const digest = await store(KEY, await onnx());
    await register({ spec: { verification: { digest: DIGEST_B } } });
    const said = await settle();
    expect(said).toMatch(/^False DigestMismatch/);
    expect(said).toContain(digest);
    expect(said).toContain(DIGEST_B);
    expect(await world.condition(MODEL_VERSION, VERSION, 'ArtifactVerified')).toMatch(/^False/);
    expect(await world.condition(MODEL_VERSION, VERSION, 'Stalled')).toMatch(/^True/);
  });

  test('is read again, once, when a pod finds other bytes', async () => {
    const bytes = await onnx();
    const digest = await store(KEY, bytes);
    await register();
    await settle();
    const flipped = Buffer.from(bytes);
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    artifacts.tamper(KEY, flipped);
    await complain('digits-abc');
    const said = await settle();
    expect(said).toMatch(/^False DigestMismatch/);
    expect(said).toContain(digest);
    expect((await statusOf())?.digest).toBe(digest);
  });

  test('stays Ready when a pod complains without cause', async () => {
    await store(KEY, await onnx());
    await register();
    await settle();
    await complain('digits-abc');
    await world.reconcile(MODEL_VERSION, VERSION);
    expect(await world.condition(MODEL_VERSION, VERSION)).toMatch(/^True Ready/);
    expect(await settle()).toMatch(/^True Ready/);
  });

  test('whose bytes were restored is Ready again when the pod is gone', async () => {
    const bytes = await onnx();
    await store(KEY, bytes);
    await register();
    await settle();
    artifacts.tamper(KEY, Buffer.from('broken'));
    await complain('digits-abc');
    expect(await settle()).toMatch(/^False DigestMismatch/);
    artifacts.tamper(KEY, bytes);
    await world.cluster.delete(POD, key('digits-abc'));
    expect(await settle()).toMatch(/^True Ready/);
  });

  test('is refused above the limit, naming both sizes', async () => {
    start({ maxModelBytes: 10 });
    await world.put(MODEL, aModel());
    await store(KEY, Buffer.alloc(11));
    await register();
    const said = await settle();
    expect(said).toMatch(/^False TooLarge/);
    expect(said).toContain('11 bytes');
    expect(said).toContain('allows 10');
  });

  test.each([
    ['is truncated', async () => (await onnx()).subarray(0, 40)],
    ['is something else', async () => Buffer.from('hello, this is not a model')],
  ])('is InvalidModel when the file %s', async (_what, bytes) => {
    await store(KEY, await bytes());
    await register();
    expect(await settle()).toMatch(/^False InvalidModel/);
  });

  test('of another format needs only a digest', async () => {
    await store(KEY, Buffer.from('a pickle'));
    await register({ spec: { modelFormat: { name: 'other' } } });
    expect(await settle()).toMatch(/^True Ready/);
    expect((await statusOf())?.inputs).toBeUndefined();
  });

  test('waits for a file that is not there and looks again', async () => {
    await register();
    await world.reconcile(MODEL_VERSION, VERSION);
    expect(await world.reconcile(MODEL_VERSION, VERSION)).toEqual({ requeueAfterMs: 15_000 });
    expect(await world.condition(MODEL_VERSION, VERSION)).toMatch(/^False ArtifactNotFound/);
    await store(KEY, await onnx());
    expect(await settle()).toMatch(/^True Ready/);
  });

  test('is not judged while the store is down', async () => {
    artifacts.stat = async () => {
      throw new ArtifactStoreUnavailable('answer', new Error('connection refused'));
    };
    await register();
    expect(await settle()).toMatch(/^Unknown StoreUnavailable/);
  });

  test('may be a folder, whose digest is that of its list of files', async () => {
    const folder = 'demo/models/digits/1.0.0/';
    await store(`${folder}model.onnx`, await onnx());
    await store(`${folder}labels.txt`, Buffer.from('0\n1\n'));
    await register({ spec: { storageUri: `s3://mlops/${folder}` } });
    expect(await settle()).toMatch(/^True Ready/);
    expect((await statusOf())?.inputs).toHaveLength(13);
  });

  test('must say which file of a folder is the model', async () => {
    const folder = 'demo/models/digits/1.0.0/';
    await store(`${folder}a.onnx`, await onnx());
    await store(`${folder}b.onnx`, await onnx());
    await register({ spec: { storageUri: `s3://mlops/${folder}` } });
    expect(await settle()).toMatch(/^False InvalidModel/);
  });
});

describe('a version that cannot be judged', () => {
  test('waits for its Model and goes on by itself', async () => {
    start();
    await store(KEY, await onnx());
    await register();
    expect(await settle()).toMatch(/^False ModelNotFound/);
    expect(await world.condition(MODEL_VERSION, VERSION, 'Reconciling')).toMatch(/^True/);
    await world.put(MODEL, aModel());
    expect(await settle()).toMatch(/^True Ready/);
  });

  test('gives way to the older object with the same version', async () => {
    await register({ name: 'first' }, '1.0.0+a');
    world.advance(5_000);
    await register({ name: 'second' }, '1.0.0+b');
    const said = await settle(key('second'));
    expect(said).toMatch(/^False VersionTaken: ModelVersion first/);
    expect(await settle(key('first'))).not.toMatch(/VersionTaken/);
  });

  test('waits where a younger object is Ready with its version, and goes on when that one gives way', async () => {
    const uri = 's3://mlops/demo/models/digits/1.0.0/model.onnx';
    await store(KEY, await onnx());
    await register({ name: 'older', spec: { storageUri: uri } }, '2.0.0');
    world.advance(5_000);
    await register({ name: 'younger', spec: { storageUri: uri } }, '1.0.0+b');
    expect(await settle(key('younger'))).toMatch(/^True Ready/);
    // No user can do this; it stands for an older object that the pass above did not see.
    await world.change(MODEL_VERSION, key('older'), '/spec/version', '1.0.0+a');
    expect(await settle(key('older'))).toMatch(/^False VersionTaken: ModelVersion younger, which/);
    expect(await settle(key('younger'))).toMatch(/^False VersionTaken: ModelVersion older/);
    expect(await settle(key('older'))).toMatch(/^True Ready/);
  });

  test.each([
    ['s3://elsewhere/model.onnx', /^False UriNotAllowed/],
    ['s3://mlops/team-b/models/digits/1.0.0/model.onnx', /^False UriNotAllowed/],
  ])('is refused at %s', async (storageUri, want) => {
    await register({ spec: { storageUri } });
    expect(await settle()).toMatch(want);
  });

  test.each([
    ['s3://mine/models/', /single file from a bucket of your own/],
    ['https://models.example.com/model.onnx', /spec.secretRef with s3:\/\/ only/],
  ])('says what is not read with a Secret: %s', async (storageUri, want) => {
    await register({ spec: { storageUri, secretRef: { name: 'storage-config' } } });
    const said = await settle();
    expect(said).toMatch(/^False NotImplemented/);
    expect(said).toMatch(want);
  });

  test('says that other formats are read from the bundled store only', async () => {
    await register({
      spec: { storageUri: 'pvc://models/model.pkl', modelFormat: { name: 'other' } },
    });
    expect(await settle()).toMatch(/^False NotImplemented: .*format other/);
  });

  test('is refused for a Model of another namespace', async () => {
    await register({ spec: { modelRef: { name: 'digits', namespace: 'team-b' } } });
    expect(await settle()).toMatch(/^False NotShared/);
  });
});

describe("a version in storage of the user's own", () => {
  const jobs = () => world.list<Job>(JOB);

  const finish = async (message: object, exitCode = 0): Promise<void> => {
    const [job] = await jobs();
    if (job === undefined) throw new Error('no Job');
    await world.put(POD, {
      metadata: {
        name: `${job.metadata.name}-x`,
        namespace: 'demo',
        labels: job.metadata.labels,
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, uid: job.metadata.uid },
        ],
      },
      status: {
        containerStatuses: [
          {
            name: 'inspect',
            state: { terminated: { exitCode, message: JSON.stringify(message) } },
          },
        ],
      },
    });
  };

  test('on a volume is read by a Job that mounts it, without any token', async () => {
    await register({ spec: { storageUri: 'pvc://models/digits/model.onnx' } });
    expect(await settle()).toMatch(/^Unknown WaitingForArtifact/);
    const [job] = await jobs();
    expect(job?.spec.template.spec).toMatchObject({
      automountServiceAccountToken: false,
      containers: [
        {
          args: ['inspect'],
          env: expect.arrayContaining([
            { name: 'MLOPS_MODEL_PATH', value: '/model/digits/model.onnx' },
          ]) as unknown,
        },
      ],
    });
    expect(job?.spec.template.spec.volumes).toContainEqual({
      name: 'model',
      persistentVolumeClaim: { claimName: 'models', readOnly: true },
    });
    await finish({ digest: DIGEST_A, sizeBytes: 7, inputs: [], outputs: [] });
    expect(await settle()).toMatch(/^True Ready: 7 bytes/);
    expect(await jobs()).toEqual([]);
  });

  test("in a bucket of the user's own is read by a Job that mounts the user's Secret", async () => {
    await register({
      spec: { storageUri: 's3://mine/d/model.onnx', secretRef: { name: 'storage-config' } },
    });
    expect(await settle()).toMatch(/^Unknown WaitingForArtifact/);
    const [job] = await jobs();
    const pod = job?.spec.template.spec;
    expect(pod?.containers[0]?.env).toEqual(
      expect.arrayContaining([
        { name: 'MLOPS_MODEL_S3_URI', value: 's3://mine/d/model.onnx' },
        {
          name: 'MLOPS_S3_CREDENTIALS_DIR',
          value: '/var/run/secrets/mlops.pynomaly.io/storage',
        },
      ]),
    );
    expect(pod?.volumes).toContainEqual({
      name: 'mlops-storage',
      secret: { secretName: 'storage-config' },
    });
    await finish({ digest: DIGEST_A, sizeBytes: 7, inputs: [], outputs: [] });
    expect(await settle()).toMatch(/^True Ready: 7 bytes/);
  });

  test.each([
    [
      'MountVolume.SetUp failed for volume "mlops-storage" : secret "storage-config" not found',
      /^False SecretNotFound: There is no Secret storage-config in namespace demo/,
    ],
    ['Unable to attach volumes', /^Unknown WaitingForArtifact: .*does not start: Unable to attach/],
  ])('tells why the pod that reads it does not start: %s', async (message, want) => {
    await register({
      spec: { storageUri: 's3://mine/model.onnx', secretRef: { name: 'storage-config' } },
    });
    await settle();
    const [job] = await jobs();
    const pod = await world.put<Pod>(POD, {
      metadata: {
        name: 'reads',
        namespace: 'demo',
        labels: job?.metadata.labels,
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: job?.metadata.uid },
        ],
      },
      status: { phase: 'Pending' },
    });
    await world.put(CORE_EVENT, {
      metadata: { name: 'e1', namespace: 'demo' },
      reason: 'FailedMount',
      message,
      involvedObject: { uid: pod.metadata.uid },
    });
    expect(await settle()).toMatch(/^Unknown WaitingForArtifact: .*by pod reads\.$/);
    world.advance(6_000);
    expect(await settle()).toMatch(want);
  });

  test('is InvalidModel in the words of the Job', async () => {
    await register({ spec: { storageUri: 'pvc://models/model.onnx' } });
    await settle();
    await finish({ reason: 'InvalidModel', message: 'not an ONNX file' }, 1);
    expect(await settle()).toBe('False InvalidModel: not an ONNX file');
  });

  test('names both digests when the bytes are others', async () => {
    await register({
      spec: { storageUri: 'pvc://models/model.onnx', verification: { digest: DIGEST_A } },
    });
    await settle();
    await finish(
      { reason: 'DigestMismatch', message: 'other', expected: DIGEST_A, actual: DIGEST_B },
      1,
    );
    const said = await settle();
    expect(said).toContain(DIGEST_A);
    expect(said).toContain(DIGEST_B);
  });

  test('is tried again after a minute when nothing is there', async () => {
    await register({ spec: { storageUri: 'pvc://models/model.onnx' } });
    await settle();
    await finish({ reason: 'ArtifactNotFound', message: 'no such file' }, 1);
    expect(await settle()).toMatch(/^False ArtifactNotFound/);
    expect(keysOf(await jobs())).toHaveLength(1);
    world.advance(61_000);
    await world.reconcile(MODEL_VERSION, VERSION);
    expect(await jobs()).toEqual([]);
  });

  test('says why the Job could not run', async () => {
    await register({ spec: { storageUri: 'pvc://models/model.onnx' } });
    await settle();
    const [job] = await jobs();
    await world.change(JOB, key(job?.metadata.name ?? ''), '/status', {
      conditions: [{ type: 'Failed', status: 'True', message: 'deadline exceeded' }],
    });
    expect(await settle()).toMatch(/ArtifactUnreadable: .*deadline exceeded/);
  });

  test('at a private address is refused', async () => {
    await register({ spec: { storageUri: 'https://127.0.0.1/model.onnx' } });
    const said = await settle();
    expect(said).toMatch(/^False UriNotAllowed/);
    expect(said).toContain('127.0.0.1');
    expect(await jobs()).toEqual([]);
  });

  test('at a private address is read where the administrator allows that host', async () => {
    start({ allowPrivateHosts: ['127.0.0.1'] });
    await world.put(MODEL, aModel());
    await register({ spec: { storageUri: 'https://127.0.0.1/model.onnx' } });
    await settle();
    expect((await jobs())[0]?.spec.template.spec.containers[0]?.env).toContainEqual({
      name: 'MLOPS_MODEL_URL',
      value: 'https://127.0.0.1/model.onnx',
    });
  });
});

describe('deleting a version', () => {
  const remove = async (at = VERSION): Promise<void> => {
    await world.reconcile(MODEL_VERSION, at);
    await world.cluster.delete(MODEL_VERSION, at);
    if ((await world.get(MODEL_VERSION, at)) !== undefined)
      await world.reconcile(MODEL_VERSION, at);
    expect(await world.get(MODEL_VERSION, at)).toBeUndefined();
  };

  test('deletes the bytes that are ours', async () => {
    await store(KEY, await onnx());
    await store('demo/models/digits/1.0.0/extra', Buffer.from('x'));
    await register({ spec: { deletionPolicy: 'Delete' } });
    await remove();
    expect(await artifacts.stat(KEY)).toBeUndefined();
    expect(await artifacts.stat('demo/models/digits/1.0.0/extra')).toBeUndefined();
  });

  test('keeps the bytes by default', async () => {
    await store(KEY, await onnx());
    await register();
    await remove();
    expect(await artifacts.stat(KEY)).toBeDefined();
  });

  test("never deletes bytes outside the version's own folder", async () => {
    await store('demo/runs/r1/artifacts/model.onnx', await onnx());
    await register({
      spec: {
        storageUri: 's3://mlops/demo/runs/r1/artifacts/model.onnx',
        deletionPolicy: 'Delete',
      },
    });
    await remove();
    expect(await artifacts.stat('demo/runs/r1/artifacts/model.onnx')).toBeDefined();
  });

  test('keeps bytes that another version refers to', async () => {
    await store(KEY, await onnx());
    await register({ name: 'winner' });
    world.advance(1_000);
    await register({ name: 'loser', spec: { deletionPolicy: 'Delete' } });
    await remove(key('loser'));
    expect(await artifacts.stat(KEY)).toBeDefined();
    expect(world.events).toContainEqual(expect.objectContaining({ reason: 'BytesKept' }));
  });
});
