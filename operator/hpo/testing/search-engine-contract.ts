import { beforeAll, describe, expect, test } from '@jest/globals';

import {
  EngineConflict,
  StudyBehind,
  StudyChanged,
  type Assignment,
  type SearchEngine,
  type Study,
} from '../../kinds/experiment/search-engine.ts';

const grid = (name: string): Study => ({
  name,
  directions: ['minimize'],
  algorithm: { name: 'grid', settings: {} },
  parameters: [
    { name: 'n', type: 'int', min: '1', max: '3', step: '1' },
    { name: 'k', type: 'categorical', list: ['a', '1e-3'] },
  ],
  seed: 7,
});

const random = (name: string): Study => ({
  ...grid(name),
  algorithm: { name: 'random', settings: {} },
});

const assignmentsOf = async (
  engine: SearchEngine,
  study: Study,
  number: number,
): Promise<readonly Assignment[]> => {
  const drawn = await engine.ask(study, number);
  if (drawn.state !== 'drawn') throw new Error(`Trial ${number} is ${drawn.state}.`);
  return drawn.assignments;
};

/**
 * What every search engine must do; `fresh` gives names of studies that were never used. One that
 * does not judge by itself is to stop trials that report more than 5 after step 0.
 */
export const describeSearchEngine = (
  engineName: string,
  make: () => SearchEngine,
  fresh: () => string,
): void => {
  describe(`${engineName} keeps the contract of search engines`, () => {
    let engine: SearchEngine;
    beforeAll(() => {
      engine = make();
    });

    test('draws what the parameters allow, and the same for the same trial', async () => {
      const study = random(fresh());
      const first = await assignmentsOf(engine, study, 0);
      expect(first).toEqual([
        { name: 'n', value: expect.stringMatching(/^[123]$/) },
        { name: 'k', value: expect.stringMatching(/^(a|1e-3)$/) },
      ]);
      expect(await assignmentsOf(engine, study, 0)).toEqual(first);
    });

    test('draws the same for the same seed', async () => {
      const [one, other] = [random(fresh()), random(fresh())];
      for (const number of [0, 1, 2, 3]) {
        expect(await assignmentsOf(engine, one, number)).toEqual(
          await assignmentsOf(engine, other, number),
        );
      }
    });

    test('gives every point of a grid once, and then says that it is exhausted', async () => {
      const study = grid(fresh());
      const points: string[] = [];
      for (let number = 0; number < 6; number += 1) {
        points.push((await assignmentsOf(engine, study, number)).map((a) => a.value).join(' '));
      }
      expect(points.toSorted()).toEqual(['1 1e-3', '1 a', '2 1e-3', '2 a', '3 1e-3', '3 a']);
      expect(await engine.ask(study, 6)).toEqual({ state: 'exhausted' });
    });

    test('draws a parameter only where its condition holds', async () => {
      const study: Study = {
        ...random(fresh()),
        parameters: [
          { name: 'optimizer', type: 'categorical', list: ['sgd', 'adam'] },
          {
            name: 'momentum',
            type: 'double',
            min: '0',
            max: '1',
            step: '0.1',
            when: { parameter: 'optimizer', in: ['sgd'] },
          },
        ],
      };
      const shapes = new Set<string>();
      for (let number = 0; number < 12; number += 1) {
        const [optimizer, momentum] = await assignmentsOf(engine, study, number);
        shapes.add(`${optimizer?.value} ${momentum === undefined ? 'alone' : momentum.name}`);
      }
      expect([...shapes].toSorted()).toEqual(['adam alone', 'sgd momentum']);
    });

    test('says which trial is next when one is left out', async () => {
      const study = random(fresh());
      await engine.ask(study, 0);
      await expect(engine.ask(study, 2)).rejects.toThrow(StudyBehind);
      await expect(engine.ask(study, 2)).rejects.toMatchObject({ next: 1 });
    });

    test('takes reports and outcomes of trials it drew only', async () => {
      const study = random(fresh());
      await expect(engine.report(study, 0, [{ step: 0, value: 1 }])).rejects.toMatchObject({
        code: 'StudyBehind',
        next: 0,
      });
      await expect(engine.tell(study, 0, { state: 'failed' })).rejects.toThrow(StudyBehind);
    });

    test('takes the same outcome twice, and another one never', async () => {
      const study = random(fresh());
      await engine.ask(study, 0);
      await engine.tell(study, 0, { state: 'complete', values: [0.5] });
      await engine.tell(study, 0, { state: 'complete', values: [0.5] });
      await expect(engine.tell(study, 0, { state: 'complete', values: [0.6] })).rejects.toThrow(
        EngineConflict,
      );
      await expect(engine.tell(study, 0, { state: 'failed' })).rejects.toThrow(EngineConflict);
    });

    test('builds a lost study anew from what was drawn', async () => {
      const study = random(fresh());
      const given = [
        { name: 'n', value: '2' },
        { name: 'k', value: '1e-3' },
      ];
      expect(await engine.ask(study, 0, given)).toEqual({ state: 'drawn', assignments: given });
      expect(await engine.ask(study, 0)).toEqual({ state: 'drawn', assignments: given });
      await engine.tell(study, 0, { state: 'complete', values: [1] });
      expect((await engine.ask(study, 1)).state).toBe('drawn');
    });

    test('lets an engine that lost everything catch up, and draws on as if nothing had been', async () => {
      const study = random(fresh());
      const before = [await assignmentsOf(engine, study, 0), await assignmentsOf(engine, study, 1)];
      await engine.tell(study, 0, { state: 'complete', values: [0.5] });
      const next = await assignmentsOf(engine, study, 2);
      await engine.forget(study.name);
      await expect(engine.ask(study, 2)).rejects.toMatchObject({ code: 'StudyBehind', next: 0 });
      for (const [number, given] of before.entries()) await engine.ask(study, number, given);
      await engine.tell(study, 0, { state: 'complete', values: [0.5] });
      expect(await assignmentsOf(engine, study, 1)).toEqual(before[1]);
      expect(await assignmentsOf(engine, study, 2)).toEqual(next);
    });

    test('takes trials whose parameters nobody knows any more', async () => {
      const study = random(fresh());
      expect(await engine.ask(study, 0, [])).toEqual({ state: 'drawn', assignments: [] });
      await engine.tell(study, 0, { state: 'failed' });
      expect(await assignmentsOf(engine, study, 1)).toHaveLength(2);
    });

    test('forgets a study, also one that never was', async () => {
      const study = random(fresh());
      await engine.ask(study, 0);
      await engine.forget(study.name);
      await engine.forget(study.name);
      await expect(engine.tell(study, 0, { state: 'failed' })).rejects.toMatchObject({
        code: 'StudyBehind',
        next: 0,
      });
    });

    test('lists the studies it has', async () => {
      const study = random(fresh());
      expect(await engine.studyNames()).not.toContain(study.name);
      await engine.ask(study, 0);
      expect(await engine.studyNames()).toContain(study.name);
      await engine.forget(study.name);
      expect(await engine.studyNames()).not.toContain(study.name);
    });

    test('keeps to what a study was begun with', async () => {
      const study = random(fresh());
      await engine.ask(study, 0);
      const other: Study = { ...study, directions: ['maximize'] };
      await expect(engine.ask(other, 1)).rejects.toThrow(StudyChanged);
      await expect(engine.tell(other, 0, { state: 'failed' })).rejects.toThrow(StudyChanged);
      await engine.forget(study.name);
      expect((await engine.ask(other, 0)).state).toBe('drawn');
    });

    const median = { name: 'median', settings: { n_startup_trials: '2', n_warmup_steps: '1' } };

    test.each([
      ['stops a trial that is far behind the others', { earlyStopping: median }, true],
      ['stops no trial where the study has no early stopping', {}, false],
    ])('%s', async (_words, more, prune) => {
      const study: Study = { ...random(fresh()), ...more };
      const falling = [
        { step: 0, value: 1 },
        { step: 1, value: 0.5 },
      ];
      for (const number of [0, 1]) {
        await engine.ask(study, number);
        expect(await engine.report(study, number, falling)).toEqual({ prune: false });
        await engine.tell(study, number, { state: 'complete', values: [0.5] });
      }
      await engine.ask(study, 2);
      expect(await engine.report(study, 2, [{ step: 0, value: 9 }])).toEqual({ prune: false });
      expect(await engine.report(study, 2, [{ step: 1, value: 9 }])).toEqual({ prune });
      // A step counts once, and a verdict stays.
      expect(await engine.report(study, 2, [{ step: 1, value: 0 }])).toEqual({ prune });
      await engine.tell(study, 2, { state: 'pruned' });
    });

    test('keeps a trial running that nothing speaks against', async () => {
      const study = random(fresh());
      await engine.ask(study, 0);
      expect(await engine.report(study, 0, [])).toEqual({ prune: false });
      expect(await engine.report(study, 0, [{ step: 1, value: 3 }])).toEqual({ prune: false });
      expect(await engine.report(study, 0, [{ step: 1, value: 3 }])).toEqual({ prune: false });
    });
  });
};
