import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Pass } from '../../runtime/reconciler.ts';
import { StudySweep } from './study-sweep.ts';
import { studyOf } from './study.ts';
import type { Study } from './search-engine.ts';
import { aSearch, SearchWorld } from './testing/search-world.ts';

const HOUR_MS = 3_600_000;
const GONE = 'demo/gone/0f8fad5b-d9cb-469f-a165-70867728950e';

let at: SearchWorld;
beforeEach(() => {
  at = new SearchWorld();
});

const LIVE = 'demo/lives/7c9e6679-7425-40de-944b-e07fc1f90ae7';
const AGAIN = 'demo/lives/16fd2706-8baf-433b-82eb-8c7fada847da';

/** A pass that sees one Experiment in the cluster, but not in its cache. */
const passOf = (uid: string) =>
  ({
    now: new Date('2026-03-01T12:00:00Z'),
    cachedEverywhere: () => [],
    live: { get: async () => ({ metadata: { name: 'lives', uid } }) },
    log: { info: () => undefined, warn: () => undefined },
  }) as unknown as Pass;

const begin = async (name: string): Promise<void> => {
  await at.search.ask({ ...(studyOf(aSearch()) as Study), name }, 0);
};

describe('studies of Experiments that are gone', () => {
  test('are forgotten; those that live and those of users stay', async () => {
    for (const name of [GONE, 'my-own', 'team/my-own', 'demo/gone/second-try']) await begin(name);
    const { metadata } = await at.create();
    await at.pass();
    expect([...at.search.studies.keys()].toSorted()).toEqual(
      [
        ...['demo/gone/second-try', 'my-own', 'team/my-own'],
        `demo/digits-train/${metadata.uid}`,
      ].toSorted(),
    );
  });

  test('are those of another uid, also under the name of one that lives', async () => {
    for (const name of [LIVE, AGAIN]) await begin(name);
    await new StudySweep().run(passOf('7c9e6679-7425-40de-944b-e07fc1f90ae7'), at.search);
    expect([...at.search.studies.keys()]).toEqual([LIVE]);
  });

  test('are looked for once an hour, also where the engine did not answer', async () => {
    await at.create();
    at.search.down = true;
    await at.pass();
    at.search.down = false;
    await begin(GONE);
    await at.passes(2);
    expect(at.search.studies.has(GONE)).toBe(true);
    at.world.advance(HOUR_MS);
    await at.pass();
    expect(at.search.studies.has(GONE)).toBe(false);
  });
});
