import { describe, expect, test } from '@jest/globals';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { studyOf } from './study.ts';
import { aSearch } from './testing/search-world.ts';

type Spec = Experiment['spec'];

const study = (spec: Partial<Spec>) => studyOf(aSearch(spec));
const settings = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

describe('a study', () => {
  test('carries what the spec says', () => {
    expect(study({})).toEqual({
      name: expect.stringMatching(/^demo\/digits-train\//),
      directions: ['maximize'],
      algorithm: { name: 'random', settings: {} },
      parameters: [{ name: 'lr', type: 'double', min: '0.1', max: '0.9', step: '0.1' }],
      seed: 7,
    });
  });

  const space = (feasibleSpace: object, parameterType = 'double') =>
    [{ name: 'x', parameterType, feasibleSpace }] as Spec['parameters'];

  test.each<[string, Spec['parameters'], RegExp]>([
    ['reversed', space({ min: '2', max: '1' }), /min \(2\) greater than its max \(1\)/],
    ['not a number', space({ min: 'NaN', max: '1' }), /needs finite numbers/],
    ['infinite', space({ min: '0', max: '1e999' }), /needs finite numbers/],
    ['without an end', space({ min: '0' }), /needs finite numbers/],
    ['a step of 0', space({ min: '0', max: '1', step: '0' }), /step that is no number greater/],
    ['a logarithm of 0', space({ min: '0', max: '1', distribution: 'logUniform' }), /min greater/],
    ['empty', space({ list: [] }, 'categorical'), /list with a value/],
    ['a value twice', space({ list: ['a', 'a'] }, 'categorical'), /twice/],
    ['words for numbers', space({ list: ['1', 'x'] }, 'discrete'), /no finite number/],
    [
      'ten thousand parameters',
      Array.from({ length: 10_000 }, (_, index) => ({
        ...{ name: `p${index}`, parameterType: 'double' as const },
        feasibleSpace: { min: '0', max: '1' },
      })),
      /has 10000; at most 100/,
    ],
  ])('of a space that is %s is refused', (_what, parameters, words) => {
    const answer = study({ parameters });
    expect(answer).toMatchObject({ fault: { reason: 'InvalidSearchSpace' } });
    expect('fault' in answer && answer.fault.message).toMatch(words);
  });

  const model = {
    name: 'model',
    parameterType: 'categorical' as const,
    feasibleSpace: { list: ['svm', 'tree'] },
  };
  const depth = (when: object) =>
    [
      model,
      { name: 'depth', parameterType: 'int', feasibleSpace: { min: '1', max: '9' }, when },
    ] as Spec['parameters'];

  test('keeps conditions', () => {
    expect(study({ parameters: depth({ parameter: 'model', in: ['tree'] }) })).toMatchObject({
      parameters: [{ name: 'model' }, { when: { parameter: 'model', in: ['tree'] } }],
    });
  });

  test.each([
    [{ parameter: 'depth', in: ['1'] }, /no parameter that stands before it/],
    [{ parameter: 'none', in: ['1'] }, /no parameter that stands before it/],
    [{ parameter: 'model', in: ['forest'] }, /"forest" \(when.in\), which is not in its list/],
  ])('refuses the condition %j', (when, words) => {
    const answer = study({ parameters: depth(when) });
    expect('fault' in answer && answer.fault.message).toMatch(words);
  });

  test.each(['-1', '1.5', 'seven', '4294967296'])('refuses the seed %s', (seed) => {
    const algorithm = { algorithmName: 'tpe' as const, algorithmSettings: settings({ seed }) };
    expect(study({ algorithm })).toMatchObject({ fault: { reason: 'InvalidAlgorithmSetting' } });
  });
});
