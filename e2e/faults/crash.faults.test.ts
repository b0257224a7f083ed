import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { anApp, isReady, paths, type App } from './harness/apps.ts';
import { lastingState } from './harness/lasting-state.ts';
import { note } from './harness/settings.ts';
import { Stage } from './harness/stage.ts';
import { until } from './harness/until.ts';

jest.setTimeout(600_000);

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

type Life = { readonly writes: number; readonly states: readonly unknown[] };

/**
 * One App is made, changed and deleted. The operator is killed in the moment the server has done
 * its write number `killedAfter`, whose answer it never sees, and another one goes on.
 */
const life = async (killedAfter?: number): Promise<Life> => {
  const { namespace, proxy, operator } = await stage.newCase('crash');
  const at = `${paths(namespace).apps}/a`;
  const first = operator();
  if (killedAfter !== undefined) {
    proxy.rules.add(
      {
        name: 'killed',
        match: { write: true },
        after: killedAfter - 1,
        times: 1,
        fault: { type: 'applyThenHold' },
      },
      () => {
        void first.kill('SIGKILL');
        operator();
      },
    );
  }
  const ready = async (value: string): Promise<void> => {
    await until(`the App to be Ready with ${value}`, 60, async () => {
      const app = await stage.kube.get<App>(at);
      return isReady(app) && app.spec.value === value ? true : undefined;
    });
  };
  await stage.kube.create(paths(namespace).apps, anApp('a', 'first'));
  await ready('first');
  await stage.kube.patch(at, { spec: { value: 'second' } });
  await ready('second');
  const changed = await lastingState(stage.kube, namespace);
  await stage.kube.delete(at);
  await until('the App to be gone', 60, async () =>
    (await stage.kube.find(at)) === undefined ? true : undefined,
  );
  const states = [changed, await lastingState(stage.kube, namespace)];
  await stage.endCase();
  return { writes: proxy.calls.count({ write: true }), states };
};

describe('an operator that is killed', () => {
  test('1: with SIGKILL after any of its writes leaves the same in the end as one that never was', async () => {
    const clean = await life();
    expect(clean.writes).toBeGreaterThan(8);
    for (let write = 1; write <= clean.writes; write++) {
      const { states } = await life(write);
      expect({ write, states }).toEqual({ write, states: clean.states });
    }
    note(1, `killed after each of ${clean.writes} writes`);
  });
});
