import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';

import { DEMO_NAMESPACE, predict, runExample } from '../demo/example.ts';
import { SYSTEM_NAMESPACE } from '../demo/install.ts';
import { experimentNamed, modelAlias } from './harness/manifests.ts';
import { at, kubectl, kubectlJson, listAt, textAt, tryKubectl } from './harness/kubectl.ts';
import { readAsPod, RestUser } from './harness/rest.ts';
import { queryDatabase } from './harness/database.ts';
import { Caller, DIGITS_QUESTION } from './harness/serving.ts';
import { REPOSITORY } from './harness/settings.ts';
import { digestOf } from './harness/storage.ts';
import { demoContext, demoTarget } from './harness/demo-target.ts';
import { Tenant } from './harness/tenant.ts';

const MINUTES = 60_000;
/** Not waited for anything: for so long nothing may happen. */
const QUIET_MS = 5_000;
const EXAMPLE = join(REPOSITORY, '.build/demo/example');

describe('A user applies the first example', () => {
  let demo: Tenant;
  let callers: readonly Caller[] = [];

  beforeAll(async () => {
    demo = await Tenant.named(DEMO_NAMESPACE);
  }, 2 * MINUTES);

  afterAll(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
  });

  test(
    'it trains, registers and serves',
    async () => {
      await runExample(demoContext(), demoTarget());
    },
    5 * MINUTES,
  );

  test.each([
    ['model', 'digits'],
    ['experiment', 'digits-train'],
    ['modelversion', 'digits-1.0.0'],
    ['modelalias', 'digits-champion'],
    ['modeldeployment', 'digits'],
  ])(
    'kubectl wait --for=condition=Ready works on %s/%s',
    async (kind, name) => {
      await demo.kubectl('wait', `${kind}/${name}`, '--for=condition=Ready', '--timeout=60s');
    },
    MINUTES + 10_000,
  );

  test(
    'the served model answers as scikit-learn does',
    async () => {
      const table = await predict(demoContext(), demoTarget());
      expect(table).toMatch(/450 of 450 answers agree with scikit-learn/);
    },
    3 * MINUTES,
  );

  test('the digest of the version is that of the bytes the artifact endpoint gives', async () => {
    const user = await RestUser.with('edit', demo);
    const grant = await user.read('modelversions/digits-1.0.0/artifact');
    const version = await demo.get('modelversion', 'digits-1.0.0');
    const bytes = await readAsPod(textAt(grant, 'url'));
    expect(digestOf(bytes)).toBe(textAt(version, 'spec.verification.digest'));
    expect(at(version, 'status.digest')).toBe(digestOf(bytes));
    expect(at(version, 'status.sizeBytes')).toBe(bytes.length);
  });

  test('the status of the version shows what the model takes and gives', async () => {
    const version = await demo.get('modelversion', 'digits-1.0.0');
    expect(at(version, 'status.inputs')).toEqual([
      { name: 'image', datatype: 'FP32', shape: [-1, 64] },
    ]);
    expect(at(version, 'status.outputs')).toEqual([
      { name: 'label', datatype: 'INT64', shape: [-1] },
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 10] },
    ]);
  });

  test('no pod of the user holds credentials of the storage or the database', async () => {
    const secrets = await kubectlJson('get', 'secrets', '-n', SYSTEM_NAMESPACE);
    const values = listAt(secrets, 'items')
      .filter((secret) => at(secret, 'type') === 'Opaque')
      .flatMap((secret) => Object.values((secret['data'] ?? {}) as Record<string, string>))
      .flatMap((value) => [value, Buffer.from(value, 'base64').toString()]);
    expect(values.length).toBeGreaterThan(0);
    const pods = await demo.list('pods');
    expect(pods.length).toBeGreaterThan(0);
    const text = JSON.stringify(pods);
    for (const value of values) expect(text).not.toContain(value);
    expect(text).not.toMatch(/"secretKeyRef"|"secretRef"|"secretName"/);
  });

  test('the live objects do not differ from what was applied', async () => {
    const { ok, stdout, stderr } = await tryKubectl(['diff', '-k', EXAMPLE]);
    expect({ ok, stdout, stderr }).toEqual({ ok: true, stdout: '', stderr: '' });
  });

  test('kubectl describe tells the story in events', async () => {
    const experiment = await demo.kubectl('describe', 'experiment', 'digits-train');
    expect(experiment).toMatch(/Started the training as Job digits-train-0/);
    expect(experiment).toMatch(/became version 1\.0\.0 of Model digits/);
    expect(experiment).toMatch(/Alias champion names version 1\.0\.0/);
    const deployment = await demo.kubectl('describe', 'modeldeployment', 'digits');
    expect(deployment).toMatch(/Version 1\.0\.0 serves all requests/);
    const version = await demo.kubectl('describe', 'modelversion', 'digits-1.0.0');
    expect(version).toMatch(
      /bytes with digest sha256:[0-9a-f]{64}, 1 input\(s\) and 2 output\(s\)/,
    );
  });

  test(
    'when all is done, the operator comes to rest and writes nothing more',
    async () => {
      const kinds = 'mlops,deployments.apps,services,poddisruptionbudgets,jobs';
      const versions = async (): Promise<readonly unknown[]> =>
        (await demo.list(kinds)).map((object) => [
          at(object, 'kind'),
          at(object, 'metadata.name'),
          at(object, 'metadata.resourceVersion'),
        ]);
      // The autoscaler's first metrics come within a minute and are told in a condition, once.
      const rest = await demo.until('the operator to write nothing for a while', 90, async () => {
        const before = JSON.stringify(await versions());
        await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
        return JSON.stringify(await versions()) === before ? before : undefined;
      });
      expect(rest).toContain('ModelVersion');
    },
    2 * MINUTES,
  );

  test(
    'a second training moves the alias, and not one request fails while the pods roll over',
    async () => {
      callers = await Promise.all([
        Caller.start(DEMO_NAMESPACE, 'digits', DIGITS_QUESTION),
        Caller.start(DEMO_NAMESPACE, 'digits', DIGITS_QUESTION, true),
      ]);
      await demo.apply(
        experimentNamed('digits-again', ['--hidden=32', '--lr=0.003', '--epochs=30', '--seed=7']),
      );
      await demo.awaits('experiment', 'digits-again', { type: 'Complete', status: 'True' });
      await demo.until('version 1.1.0 to serve alone', 120, async () => {
        const deployment = await demo.get('modeldeployment', 'digits');
        const ready = await demo.condition('modeldeployment', 'digits', 'Ready');
        const weights = listAt(deployment, 'status.weights');
        return at(deployment, 'status.servedVersion') === '1.1.0' &&
          ready?.status === 'True' &&
          weights.length === 1
          ? true
          : undefined;
      });
      await Promise.all(callers.map((caller) => caller.answeredMore(20)));
      for (const caller of callers) {
        expect(caller.failures).toEqual([]);
        expect(caller.versions).toEqual(expect.arrayContaining(['1.0.0', '1.1.0']));
      }
    },
    5 * MINUTES,
  );

  test(
    'moving the alias back by hand rolls back without a failed request',
    async () => {
      await demo.apply(modelAlias('digits', 'champion', '1.0.0'));
      await demo.until('version 1.0.0 to serve again', 120, async () => {
        const deployment = await demo.get('modeldeployment', 'digits');
        return at(deployment, 'status.servedVersion') === '1.0.0' ? true : undefined;
      });
      await demo.awaits('modeldeployment', 'digits', { type: 'Ready', status: 'True' });
      await Promise.all(callers.map((caller) => caller.answeredMore(20)));
      await Promise.all(callers.map((caller) => caller.stop()));
      for (const caller of callers) expect(caller.failures).toEqual([]);
    },
    4 * MINUTES,
  );

  test(
    'what the pods were asked is summed up feature by feature in the database',
    async () => {
      // The pods that were replaced have sent theirs when they ended; the window of the others is a minute.
      const features = await demo.until('sketches of both versions', 90, async () => {
        const rows = await queryDatabase(
          `select version || ' ' || count(distinct feature) from feature_sketches
           where namespace = '${DEMO_NAMESPACE}' and role = 'input' group by version order by version`,
        );
        return rows.length >= 2 ? rows : undefined;
      });
      // 64 pixels in one row are 64 features.
      expect(features).toEqual(['1.0.0 64', '1.1.0 64']);
    },
    2 * MINUTES,
  );

  test('the cluster shows the objects of all kinds under one word', async () => {
    const list = await kubectl(['get', 'mlops', '-n', DEMO_NAMESPACE]);
    for (const name of ['digits-train', 'digits-1.0.0', 'digits-champion']) {
      expect(list).toContain(name);
    }
  });
});
