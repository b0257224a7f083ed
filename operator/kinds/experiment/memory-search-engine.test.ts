import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { describeSearchEngine } from '../../hpo/testing/search-engine-contract.ts';
import { MemorySearchEngine } from './memory-search-engine.ts';
import type { Study } from './search-engine.ts';

describeSearchEngine(
  'the search engine in memory',
  () => {
    const engine = new MemorySearchEngine();
    engine.prunes = (_number, { step, value }) => step > 0 && value > 5;
    return engine;
  },
  () => `demo/digits/${randomUUID()}`,
);

const study: Study = {
  name: 'demo/a/1',
  directions: ['minimize'],
  algorithm: { name: 'random', settings: {} },
  parameters: [{ name: 'model', type: 'categorical', list: ['svm', 'tree'] }],
  seed: 1,
};

describe('the search engine in memory', () => {
  test('counts what it drew, not what it was asked', async () => {
    const engine = new MemorySearchEngine();
    await engine.ask(study, 0);
    await engine.ask(study, 1);
    await engine.ask(study, 0);
    await engine.ask(study, 2, [{ name: 'model', value: 'svm' }]);
    expect(engine.draws).toBe(2);
  });

  test('keeps the outcomes in order, and nothing while it is down', async () => {
    const engine = new MemorySearchEngine();
    await engine.ask(study, 0);
    await engine.ask(study, 1);
    await engine.tell(study, 1, { state: 'pruned' });
    engine.down = true;
    await expect(engine.tell(study, 0, { state: 'failed' })).rejects.toThrow('ECONNREFUSED');
    expect(engine.outcomes()).toEqual([undefined, { state: 'pruned' }]);
  });
});
