import { beforeEach, describe, expect, test } from '@jest/globals';
import { studyOf } from './study.ts';
import type { Study } from './search-engine.ts';
import { aSearch, SearchWorld } from './testing/search-world.ts';

const HOUR_MS = 3_600_000;
const GONE = 'demo/gone/0f8fad5b-d9cb-469f-a165-70867728950e';

let at: SearchWorld;
beforeEach(() => {
  at = new SearchWorld();
});

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
