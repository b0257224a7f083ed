import { beforeEach, describe, expect, test } from '@jest/globals';

import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import { ApiError } from '../../runtime/cluster.ts';
import { APPS_DEPLOYMENT, JOB, POD } from '../../runtime/kubernetes-types.ts';
import type { AppsDeployment } from '../kubernetes-objects.ts';
import { anAlias, aReadyVersion, conditionOf, meta } from '../testing/builders.ts';
import {
  A_TEST,
  DEPLOYMENT,
  Environments,
  following,
  MODEL_ALIAS,
  MODEL_VERSION,
} from '../testing/environments.ts';
import { CrashAfterWrite } from '../testing/faults.ts';
import { key } from '../testing/world.ts';

const MINUTE = 60_000;

let environments: Environments;

const start = async (...args: Parameters<Environments['start']>): Promise<void> => {
  environments = await new Environments().start(...args);
};
const pass = () => environments.pass();
const promoted = () => environments.promoted();
const alias = () => environments.alias();
const ready = () => environments.world.condition(DEPLOYMENT, key('production'));
const status = async () => (await environments.deployment()).status?.promotion;
const firstJob = async (): Promise<string> =>
  (await environments.jobs())[0]?.metadata.name ?? 'no Job';

describe('a Deployment that follows another', () => {
  beforeEach(() => start());

  test('has nothing before that one serves, and says what it waits for', async () => {
    await environments.stagingFails('RolloutProgressing', 'Version 1.0.0 is coming up.');
    await pass();
    expect(await ready()).toMatch(/^False AwaitingPromotion: No version has come from .* staging/);
    expect(await promoted()).toBe(
      'False SourceNotReady: Deployment staging is not Ready (RolloutProgressing: Version 1.0.0 is coming up.).',
    );
    expect(await status()).toEqual({ from: 'staging', waitingFor: 'source' });
    expect(await alias()).toBeUndefined();
  });

  test('takes over what it serves, by an alias that is moved, in the very same pass', async () => {
    await environments.stagingServes('1.0.0');
    await pass();
    expect(await alias()).toBe('1.0.0');
    const apps = await environments.world.get<AppsDeployment>(APPS_DEPLOYMENT, key('production'));
    expect(apps?.spec.template.metadata?.labels?.[LABELS.modelVersion]).toBe('digits-1.0.0');
    expect(await promoted()).toBe('True Promoted: Version 1.0.0 came from Deployment staging.');
    await environments.stagingServes('1.1.0');
    await pass();
    expect(await alias()).toBe('1.1.0');
    expect(environments.world.events).toContainEqual({
      ...{ type: 'Normal', reason: 'AliasMoved' },
      message:
        'Alias production moved from 1.0.0 to version 1.1.0, which Deployment staging serves.',
    });
  });

  test('never writes the spec of a Deployment', async () => {
    const before = await environments.deployment();
    await environments.stagingServes('1.0.0');
    await pass();
    expect((await environments.deployment()).spec).toEqual(before.spec);
  });

  test('keeps what it has while that one is broken, and takes no version it went back from', async () => {
    await environments.stagingServes('1.0.0');
    await pass();
    await environments.stagingFails('RolledBack', 'Version 1.1.0 could not be served', '1.0.0');
    await pass();
    expect(await alias()).toBe('1.0.0');
    expect(await promoted()).toMatch(/^False SourceNotReady: .*RolledBack/);
  });

  test('leaves the alias where a person moved it, until there is another version', async () => {
    await environments.stagingServes('1.1.0');
    await pass();
    await environments.world.change(
      MODEL_ALIAS,
      key('digits-production'),
      '/spec/version',
      '1.0.0',
    );
    await pass();
    expect(await alias()).toBe('1.0.0');
    expect(await promoted()).toMatch(
      /^False AliasMoved: Version 1\.1\.0 was promoted .* to 1\.0\.0/,
    );
    await environments.world.put(MODEL_VERSION, aReadyVersion('1.2.0'));
    await environments.stagingServes('1.2.0');
    await pass();
    expect(await alias()).toBe('1.2.0');
  });

  test('leaves an alias that a person moved ahead of it, and does not take it back afterwards', async () => {
    await environments.world.put(MODEL_ALIAS, anAlias('production', '1.1.0'));
    await environments.stagingServes('1.1.0');
    await pass();
    expect(await promoted()).toMatch(/^True Promoted/);
    await environments.world.change(
      MODEL_ALIAS,
      key('digits-production'),
      '/spec/version',
      '1.0.0',
    );
    await pass();
    expect(await alias()).toBe('1.0.0');
  });

  test('never moves an alias that is pinned', async () => {
    const pinned = anAlias('production', '1.0.0', { pinned: true });
    await environments.world.put(MODEL_ALIAS, pinned);
    await environments.stagingServes('1.1.0');
    await pass();
    expect(await alias()).toBe('1.0.0');
    expect(await promoted()).toMatch(/^False AliasPinned/);
  });

  test('is not fooled by a status that speaks of an older spec', async () => {
    await environments.stagingServes('1.0.0');
    await environments.world.change(DEPLOYMENT, key('staging'), '/spec/predictor/replicas', 2);
    await pass();
    expect(await promoted()).toMatch(/^False SourceNotReady: .* since its last change/);
    expect(await alias()).toBeUndefined();
  });

  test('waits for a version that is no longer there or no longer good', async () => {
    await environments.stagingServes('1.1.0');
    await environments.world.change(MODEL_VERSION, key('digits-1.1.0'), '/status', {
      conditions: [conditionOf('Ready', 'False', 'DigestMismatch')],
    });
    await pass();
    expect(await promoted()).toMatch(/^False VersionNotReady/);
    await environments.world.cluster.delete(MODEL_VERSION, key('digits-1.1.0'));
    await pass();
    expect(await promoted()).toMatch(/^False VersionNotFound/);
    expect(await alias()).toBeUndefined();
  });

  test('waits for a version that somebody has to approve', async () => {
    await environments.stagingServes('1.1.0');
    await environments.world.change(MODEL_VERSION, key('digits-1.1.0'), '/status/conditions', [
      conditionOf('Ready', 'True', 'Ready'),
      conditionOf('Approved', 'False', 'AwaitingApproval', 'nobody has looked yet'),
    ]);
    await pass();
    expect(await promoted()).toMatch(/^False AwaitingApproval: .*nobody has looked yet/);
    expect(await status()).toMatchObject({ version: '1.1.0', waitingFor: 'version' });
    expect(await alias()).toBeUndefined();
  });
});

describe('a promotion that cannot work', () => {
  beforeEach(async () => {
    await start();
    await environments.stagingServes('1.0.0');
  });

  test('says that the Deployment before is missing', async () => {
    await environments.world.cluster.delete(DEPLOYMENT, key('staging'));
    await pass();
    expect(await promoted()).toMatch(/^False DeploymentNotFound: There is no Deployment staging/);
  });

  test('says that the Deployment before serves another Model', async () => {
    await environments.world.change(
      DEPLOYMENT,
      key('staging'),
      '/spec/predictor/model/modelRef/name',
      'letters',
    );
    await pass();
    expect(await promoted()).toMatch(/^False PromotionInvalid: .*serves Model letters/);
  });

  test.each([
    ['one that follows itself', 'production', 'staging follows production'],
    ['a longer circle', 'dev', 'staging follows dev follows production'],
  ])('says so of %s', async (_what, before, path) => {
    await environments.put('dev', {
      predictor: following('dev'),
      promotion: { from: { name: 'production' } },
    });
    await environments.world.change(DEPLOYMENT, key('staging'), '/spec/promotion', {
      from: { name: before },
    });
    await pass();
    expect(await promoted()).toMatch(/^False PromotionCycle/);
    expect(await promoted()).toContain(path);
    expect(await alias()).toBeUndefined();
  });

  test('is not confused by a circle further up', async () => {
    await environments.put('dev', {
      predictor: following('dev'),
      promotion: { from: { name: 'staging' } },
    });
    await environments.world.change(DEPLOYMENT, key('staging'), '/spec/promotion', {
      from: { name: 'dev' },
    });
    await environments.stagingServes('1.0.0');
    await pass();
    expect(await alias()).toBe('1.0.0');
  });

  test('refuses an alias that the Deployment before follows, too', async () => {
    await environments.world.change(
      DEPLOYMENT,
      key('staging'),
      '/spec/predictor/model/alias',
      'production',
    );
    await pass();
    expect(await promoted()).toMatch(/^False PromotionCycle: .*alias of its own/);
  });

  test('leaves an alias to the older of two that would move it', async () => {
    await environments.put('another', {
      predictor: following('production'),
      promotion: { from: { name: 'staging' } },
    });
    await pass();
    expect(await promoted()).toMatch(
      /^False PromotionInvalid: .*Deployment another, which is older/,
    );
  });
});

describe('a gate of time', () => {
  beforeEach(async () => {
    await start([{ bakeTime: '10m' }]);
    await environments.stagingServes('1.0.0');
    await pass();
  });

  test('lasts as long as it says, and is looked at again then', async () => {
    expect(await promoted()).toBe(
      'False GateWaiting: Version 1.0.0, which Deployment staging has served since 2026-03-01T12:00:00Z, is at gate 1 of 1: it bakes until 2026-03-01T12:10:00Z.',
    );
    environments.world.advance(4 * MINUTE);
    expect(await pass()).toEqual({ requeueAfterMs: 6 * MINUTE });
    environments.world.advance(6 * MINUTE - 1000);
    await pass();
    expect(await alias()).toBeUndefined();
    environments.world.advance(1000);
    await pass();
    expect(await alias()).toBe('1.0.0');
  });

  test('begins again after a break, also one that was over before anybody looked', async () => {
    environments.world.advance(6 * MINUTE);
    await environments.stagingServes('1.0.0');
    environments.world.advance(5 * MINUTE);
    await pass();
    expect(await alias()).toBeUndefined();
    expect((await status())?.since).toBe('2026-03-01T12:06:00Z');
    environments.world.advance(5 * MINUTE);
    await pass();
    expect(await alias()).toBe('1.0.0');
  });

  test('begins again with another version, and with one that came back', async () => {
    for (const version of ['1.1.0', '1.0.0']) {
      environments.world.advance(9 * MINUTE);
      await environments.stagingServes(version);
      await pass();
    }
    environments.world.advance(9 * MINUTE);
    await pass();
    expect(await alias()).toBeUndefined();
    environments.world.advance(1 * MINUTE);
    await pass();
    expect(await alias()).toBe('1.0.0');
  });

  test('counts from when another version was seen, where its start was missed', async () => {
    environments.world.advance(9 * MINUTE);
    // Nobody wrote that staging was not Ready in between.
    await environments.world.change(DEPLOYMENT, key('staging'), '/status/servedVersion', '1.1.0');
    await pass();
    expect((await status())?.since).toBe('2026-03-01T12:09:00Z');
  });

  test('counts anew, and loses nothing, when the status is lost', async () => {
    environments.world.advance(9 * MINUTE);
    await environments.world.change(DEPLOYMENT, key('production'), '/status', {});
    await pass();
    environments.world.advance(9 * MINUTE);
    await pass();
    expect(await alias()).toBeUndefined();
    environments.world.advance(1 * MINUTE);
    await pass();
    expect(await alias()).toBe('1.0.0');
  });
});

test('a gate of more time than there is just never opens', async () => {
  await start([{ bakeTime: '9999999999999999d' }]);
  await environments.stagingServes('1.0.0');
  await pass();
  expect(await promoted()).toMatch(/it bakes until 9999-12-31T23:59:59Z/);
});

describe('a gate with a Job', () => {
  beforeEach(async () => {
    await start([A_TEST]);
    await environments.stagingServes('1.0.0');
    await pass();
  });

  test('tells a restricted pod where the version answers, once', async () => {
    await pass();
    const jobs = await environments.jobs();
    expect(jobs).toHaveLength(1);
    expect(jobs[0]?.metadata.name).toMatch(/^production-gate-[0-9a-f]{8}-1$/);
    expect(jobs[0]?.spec).toMatchObject({
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true },
          containers: [
            {
              name: 'test',
              securityContext: { allowPrivilegeEscalation: false },
              env: expect.arrayContaining([
                { name: 'MLOPS_SOURCE', value: 'staging' },
                {
                  name: 'MLOPS_SOURCE_URL',
                  value: 'http://staging.demo.svc.cluster.local/v2/models/staging',
                },
                { name: 'MLOPS_MODEL', value: 'digits' },
                { name: 'MLOPS_VERSION', value: '1.0.0' },
              ]) as unknown,
            },
          ],
        },
      },
    });
    expect(await alias()).toBeUndefined();
    expect(await status()).toMatchObject({ waitingFor: 'job', job: await firstJob() });
  });

  test('lets the version through when it ends well', async () => {
    await environments.jobEnds(await firstJob(), 'Complete');
    await pass();
    expect(await alias()).toBe('1.0.0');
    expect(await promoted()).toMatch(/^True Promoted/);
  });

  test('holds the version when it fails, in the words of its pod, until retry names it', async () => {
    const job = await firstJob();
    await environments.jobEnds(job, 'Failed');
    const terminated = { exitCode: 1, reason: 'Error', message: 'accuracy is 0.4\n' };
    await environments.world.put(POD, {
      metadata: { ...meta('p'), labels: { 'batch.kubernetes.io/job-name': job } },
      status: { containerStatuses: [{ name: 'test', state: { terminated } }] },
    });
    await pass();
    expect(await promoted()).toMatch(/^False GateFailed: .*accuracy is 0\.4/);
    expect(await promoted()).toContain(`--overwrite mlops.pynomaly.io/retry=${job}`);
    expect(await status()).toMatchObject({ waitingFor: 'retry', job });
    for (const retry of ['production-gate-00000000-1', 'anything']) {
      await environments.annotate({ [ANNOTATIONS.retry]: retry });
      await pass();
    }
    expect(await environments.jobs()).toHaveLength(1);
    await environments.annotate({ [ANNOTATIONS.retry]: job });
    await pass();
    await pass();
    const names = (await environments.jobs()).map(({ metadata }) => metadata.name);
    expect(names).toEqual([job, job.replace(/-1$/, '-2')]);
    await environments.jobEnds(names[1] ?? '', 'Complete');
    await pass();
    expect(await alias()).toBe('1.0.0');
  });

  test('tests another version with another Job, and remembers what one found', async () => {
    await environments.jobEnds(await firstJob(), 'Failed');
    await environments.stagingServes('1.1.0');
    await pass();
    expect(await environments.jobs()).toHaveLength(2);
    await environments.stagingServes('1.0.0');
    await pass();
    expect(await environments.jobs()).toHaveLength(2);
    expect(await promoted()).toMatch(/^False GateFailed/);
  });

  test('keeps the Jobs of three other versions', async () => {
    for (const minor of [1, 2, 3, 4, 5]) {
      if (minor > 1) await environments.world.put(MODEL_VERSION, aReadyVersion(`1.${minor}.0`));
      environments.world.advance(MINUTE);
      await environments.stagingServes(`1.${minor}.0`);
      await pass();
      await pass();
    }
    expect(await environments.jobs()).toHaveLength(4);
  });

  test('waits for a Job that is being deleted', async () => {
    await environments.jobEnds(await firstJob(), 'Complete');
    await environments.world.change(
      JOB,
      key(await firstJob()),
      '/metadata/deletionTimestamp',
      '2026-03-01T12:00:00Z',
    );
    await pass();
    expect(await alias()).toBeUndefined();
  });
});

describe('a Job of a gate that cannot be made', () => {
  test.each([
    ['no pod', {}, 'gates[0].job.spec.template.spec is missing'],
    ['no container', { template: { spec: { containers: [] } } }, 'containers is missing or empty'],
    ['a container that is a word', { template: { spec: { containers: ['test'] } } }, 'containers'],
    [
      'volumes that are a number',
      { template: { spec: { containers: [{ name: 't' }], volumes: 5 } } },
      'volumes must be a list',
    ],
    [
      'an env that is a map',
      { template: { spec: { containers: [{ name: 't', env: { A: 'b' } }] } } },
      'env of a container must be a list',
    ],
  ])('for %s says what is missing, and serves on', async (_what, spec, says) => {
    await start([{ job: { spec } }]);
    await environments.world.put(MODEL_ALIAS, anAlias('production', '1.1.0'));
    await environments.stagingServes('1.0.0');
    await pass();
    expect(await promoted()).toMatch(/^False InvalidTemplate/);
    expect(await promoted()).toContain(says);
    expect(await ready()).toMatch(/^False RolloutProgressing: Version 1\.1\.0/);
  });

  test('repeats the words of a cluster that refuses it, and tries again', async () => {
    await start([A_TEST]);
    await environments.stagingServes('1.0.0');
    environments.world.through = (cluster) => ({
      ...new CrashAfterWrite(Infinity).around(cluster),
      create: async (type, object, options) => {
        if (type !== JOB) return cluster.create(type, object, options);
        throw new ApiError(403, 'Forbidden', 'exceeded quota: compute');
      },
    });
    expect(await pass()).toEqual({ requeueAfterMs: 30_000 });
    expect(await promoted()).toMatch(/^False QuotaExceeded: .*exceeded quota: compute/);
  });
});

describe('a gate of approval', () => {
  test('waits for the annotation that names this version, and says who wrote last', async () => {
    await start([{ approval: { description: 'the risk report' } }]);
    await environments.stagingServes('1.1.0');
    await environments.annotate({ [ANNOTATIONS.approve]: '1.0.0' });
    await pass();
    expect(await promoted()).toMatch(/^False AwaitingApproval: .*\(the risk report\): kubectl/);
    expect(await promoted()).toMatch(/approve=1\.1\.0; the annotation names 1\.0\.0 now\.$/);
    expect(await alias()).toBeUndefined();
    await environments.annotate({
      [ANNOTATIONS.approve]: '1.1.0',
      [ANNOTATIONS.requestedBy]: 'alice',
    });
    await pass();
    expect(await alias()).toBe('1.1.0');
    expect(environments.world.events.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('was approved (last written by alice)'),
    );
  });
});

describe('gates one after the other', () => {
  test('start no Job before the time before it is over', async () => {
    await start([{ bakeTime: '1m' }, A_TEST, { approval: {} }]);
    await environments.stagingServes('1.0.0');
    await pass();
    expect(await environments.jobs()).toEqual([]);
    environments.world.advance(MINUTE);
    await pass();
    await environments.jobEnds(await firstJob(), 'Complete');
    await pass();
    expect(await promoted()).toMatch(/is at gate 3 of 3/);
    expect(environments.world.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['GateWaiting', 'AwaitingApproval']),
    );
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'come to the same end when the operator dies after write %d',
    async (at) => {
      await start([A_TEST]);
      await environments.stagingServes('1.0.0');
      environments.world.through = new CrashAfterWrite(at).around;
      for (let look = 0; look < 4; look++) {
        await pass().catch(() => environments.world.restart());
        for (const { metadata } of await environments.jobs()) {
          await environments.jobEnds(metadata.name, 'Complete');
        }
      }
      expect(await environments.jobs()).toHaveLength(1);
      expect(await alias()).toBe('1.0.0');
      expect(await promoted()).toMatch(/^True Promoted/);
    },
  );
});
