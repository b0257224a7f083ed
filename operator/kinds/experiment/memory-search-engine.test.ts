import { describe, expect, test } from '@jest/globals';
import { MemorySearchEngine } from './memory-search-engine.ts';
import { EngineConflict, StudyBehind, type Study } from './search-engine.ts';

const study: Study = {
  name: 'demo/a/1',
  directions: ['minimize'],
  algorithm: { name: 'random', settings: {} },
  parameters: [
    { name: 'model', type: 'categorical', list: ['svm', 'tree'] },
    {
      ...{ name: 'depth', type: 'int', min: '1', max: '3', step: '1' },
      when: { parameter: 'model', in: ['tree'] },
    },
  ],
  seed: 1,
};

describe('the search engine in memory', () => {
  test('draws a number once, whatever happens in between', async () => {
    const [one, other] = [new MemorySearchEngine(), new MemorySearchEngine()];
    const first = await one.ask(study, 0);
    await one.ask(study, 1);
    expect(await one.ask(study, 0)).toEqual(first);
    expect(await other.ask(study, 0)).toEqual(first);
    expect(one.draws).toBe(2);
  });

  test('draws a conditional parameter only where its condition holds', async () => {
    const engine = new MemorySearchEngine();
    for (let number = 0; number < 20; number += 1) {
      const drawn = await engine.ask(study, number);
      const values = drawn.state === 'drawn' ? drawn.assignments : [];
      expect(values.length).toBe(values[0]?.value === 'tree' ? 2 : 1);
    }
  });

  test('knows no gaps, and takes what is given', async () => {
    const engine = new MemorySearchEngine();
    await expect(engine.ask(study, 1)).rejects.toThrow(StudyBehind);
    const given = [{ name: 'model', value: 'svm' }];
    expect(await engine.ask(study, 0, given)).toEqual({ state: 'drawn', assignments: given });
  });

  test('is told one outcome', async () => {
    const engine = new MemorySearchEngine();
    await engine.ask(study, 0);
    await engine.tell(study, 0, { state: 'pruned' });
    await engine.tell(study, 0, { state: 'pruned' });
    await expect(engine.tell(study, 0, { state: 'failed' })).rejects.toThrow(EngineConflict);
  });
});
