import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { changeApps, converged, createApps, names, paths } from './harness/apps.ts';
import { figure, note } from './harness/settings.ts';
import { Stage } from './harness/stage.ts';
import { until } from './harness/until.ts';

jest.setTimeout(3_600_000);

const COUNT = 10;
const ROUNDS = 10;
const CHURN = figure(100, 10_000);
/** RSS may grow by this from the third to the last round: what a heap swings by, and no more. */
const GROWTH_MIB = figure(40, 60);

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

/** Mounts that only the operator sees: its own mount namespace ends with it. */
const inOwnMounts = (prepare: string): readonly string[] => [
  ...['unshare', '--mount', 'sh', '-ec', `${prepare}; exec "$@"`, 'sh'],
];

/**
 * A connection is kept for each call that was ever under way at once: 8 workers that apply 3 children
 * each, 2 writers of Events, 7 watches, their comparisons and a lead. A leak of one a round of
 * objects would be hundreds.
 */
const MOST_SOCKETS = 50;

describe('an operator short of what it runs on', () => {
  test.each([
    ['a read-only root', 'mount -o remount,bind,ro /', '/'],
    [
      'a full /tmp and working directory',
      'mount -t tmpfs -o size=64k tmpfs /mnt; head -c 1M /dev/zero > /mnt/full 2>/dev/null || true; cd /mnt',
      '/mnt',
    ],
    ['no /tmp at all', 'true', '/nonexistent'],
  ])('44: works with %s', async (_what, prepare, tmp) => {
    const { namespace, operator } = await stage.newCase('disk');
    const process = operator(['--namespace', namespace], {
      under: inOwnMounts(prepare),
      env: { TMPDIR: tmp, HOME: tmp },
    });
    await createApps(stage.kube, namespace, names(COUNT), 'first');
    await converged(stage.kube, namespace, { count: COUNT, value: 'first', seconds: 60 });
    await changeApps(stage.kube, namespace, names(COUNT), 'second');
    await converged(stage.kube, namespace, { count: COUNT, value: 'second', seconds: 60 });
    await process.kill('SIGTERM');
    expect(await process.ended).toBe(0);
  });

  test(`46: holds no more memory or sockets after ten rounds of ${CHURN} objects made and deleted`, async () => {
    const { namespace, operator } = await stage.newCase('churn');
    const process = operator(['--namespace', namespace], {
      env: { NODE_OPTIONS: '--max-semi-space-size=8' },
    });
    const at = paths(namespace);
    const rounds: { readonly rss: number; readonly sockets: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await createApps(stage.kube, namespace, names(CHURN), `round ${round}`);
      await converged(stage.kube, namespace, {
        count: CHURN,
        value: `round ${round}`,
        seconds: figure(60, 1_200),
      });
      await stage.kube.send('DELETE', at.apps);
      await until('all Apps to be gone', figure(60, 1_200), async () =>
        (await stage.kube.list(at.apps)).length === 0 ? true : undefined,
      );
      // No garbage collector here: what they owned goes by hand.
      for (const path of [at.configMaps, at.deployments, at.services])
        await stage.kube.send('DELETE', path);
      rounds.push({ rss: Math.round(process.rssMiB()), sockets: process.sockets() });
    }
    note(46, `RSS MiB ${rounds.map(({ rss }) => rss).join(' ')}`);
    note(46, `sockets ${rounds.map(({ sockets }) => sockets).join(' ')}`);
    const [, , warm, ...rest] = rounds;
    const last = rest.at(-1);
    expect(last?.rss).toBeLessThan((warm?.rss ?? 0) + GROWTH_MIB);
    expect(last?.sockets).toBeLessThanOrEqual(MOST_SOCKETS);
  });
});
