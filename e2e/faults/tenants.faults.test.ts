import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  changeApps,
  converged,
  createApps,
  isReady,
  names,
  paths,
  type App,
} from './harness/apps.ts';
import { figure, note } from './harness/settings.ts';
import { Stage } from './harness/stage.ts';
import { until } from './harness/until.ts';

jest.setTimeout(1_800_000);

const FLOOD = figure(1_000, 10_000);
const OTHERS = 20;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

const readyIn = async (namespace: string): Promise<number> =>
  ((await stage.kube.list(paths(namespace).apps)) as readonly App[]).filter(isReady).length;

/** Twenty Apps of a namespace, one after the other; the slowest one's time to Ready, in ms. */
const slowest = async (namespace: string, prefix: string): Promise<number> => {
  const { apps } = paths(namespace);
  const times: number[] = [];
  for (const name of names(OTHERS, prefix)) {
    const startedAt = performance.now();
    await createApps(stage.kube, namespace, [name], 'value');
    await until(`${name} to be Ready`, 120, async () =>
      isReady(await stage.kube.get<App>(`${apps}/${name}`)) ? true : undefined,
    );
    times.push(performance.now() - startedAt);
  }
  return Math.max(...times);
};

describe('one tenant that floods the operator', () => {
  test(`26: keeps another tenant's objects waiting no longer than its own first ones`, async () => {
    const { namespace: quiet, operator } = await stage.newCase('quiet');
    const { namespace: flooded } = await stage.newCase('flood');
    const process = operator([]);
    await slowest(quiet, 'warm-up');
    const alone = await slowest(quiet, 'alone');
    await createApps(stage.kube, flooded, names(FLOOD), 'first');
    await changeApps(stage.kube, flooded, names(FLOOD), 'second');
    const before = await readyIn(flooded);
    const during = await slowest(quiet, 'during');
    const after = await readyIn(flooded);
    note(
      26,
      `slowest of ${OTHERS}: ${alone.toFixed(0)} ms alone, ${during.toFixed(0)} ms beside a flood of ` +
        `${FLOOD} (${before} of them Ready before, ${after} after)`,
    );
    // Generous, for machines that others use too; the queue alone would be some ten seconds.
    expect(during).toBeLessThan(Math.max(5_000, 5 * alone));
    await converged(stage.kube, flooded, {
      count: FLOOD,
      value: 'second',
      seconds: figure(180, 1_200),
    });
    expect(process.alive).toBe(true);
  });
});
