import { describe, expect, test } from '@jest/globals';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { ModelSignature } from '../protocol/signature.ts';
import { fakeModel, floats, integers, times, vectors } from '../testing/fake-models.ts';
import type { Tensor } from '../tensors.ts';
import { compileEnsemble } from './compile.ts';
import type { EnsembleNode } from './graph.ts';

const label: ModelSignature = {
  inputs: vectors.inputs,
  outputs: [{ name: 'label', datatype: 'INT64', shape: [-1] }],
};
const says = (...labels: readonly number[]) =>
  fakeModel(label, () => ({ label: integers(...labels) }));

const models = {
  double: times(2),
  triple: times(3),
  none: times(0),
  a: says(1, 2, 3),
  b: says(1, 5, 4),
  c: says(2, 5, 5),
  short: says(1),
  text: fakeModel(
    { ...vectors, outputs: [{ name: 'word', datatype: 'BYTES', shape: [-1] }] },
    () => ({ word: { datatype: 'BYTES', shape: [1], data: ['yes'] } }),
  ),
  wide: fakeModel(
    { ...vectors, inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] },
    () => ({}),
  ),
  fixed: fakeModel(
    { ...vectors, inputs: [{ name: 'x', datatype: 'FP32', shape: [3] }] },
    () => ({}),
  ),
} as const;

const compile = (graph: EnsembleNode) =>
  compileEnsemble(graph, (name) => models[name as keyof typeof models]);

async function run(
  graph: EnsembleNode,
  inputs: Readonly<Record<string, Tensor>>,
  parameters: Readonly<Record<string, unknown>> = {},
) {
  const { signature, run: ask } = compile(graph);
  const outputs = signature.outputs.map(({ name }) => name);
  const asked = { refusal: () => undefined, parameters };
  const results = await ask({ ...asked, inputs: new Map(Object.entries(inputs)), outputs });
  return Object.fromEntries(
    outputs.map((name, i) => [name, Array.from((results[i]?.data ?? []) as Iterable<unknown>)]),
  );
}

const after = (first: string, second: string): EnsembleNode => ({
  sequence: [
    { model: first, outputs: { y: 'between' } },
    { model: second, inputs: { x: 'between' } },
  ],
});

describe('a sequence', () => {
  test('gives each what those before it gave', async () => {
    expect(compile(after('double', 'triple')).signature).toEqual(vectors);
    expect(await run(after('double', 'triple'), { x: floats(1, 10) })).toEqual({ y: [6, 60] });
  });

  test('whose parts do not fit is refused with the place', () => {
    const graph = { sequence: [{ model: 'a', outputs: { label: 'x' } }, { model: 'double' }] };
    expect(() => compile(graph)).toThrow(
      'ensemble.sequence[1]: tensor "x" is INT64 [-1], and FP32 [-1] is wanted',
    );
  });
});

describe('parallel models', () => {
  test('give all they have, under names that differ', async () => {
    const graph = { parallel: [{ model: 'double' }, { model: 'a' }] };
    expect(await run(graph, { x: floats(1) })).toEqual({ y: [2], label: [1n, 2n, 3n] });
    expect(() => compile({ parallel: [{ model: 'double' }, { model: 'triple' }] })).toThrow(
      'ensemble: "y" is given twice; rename one, leave one out, or combine them',
    );
  });

  test('are averaged, by weight', async () => {
    const parallel = [{ model: 'double' }, { model: 'triple' }, { model: 'none' }];
    expect(await run({ parallel, combine: 'mean' }, { x: floats(3) })).toEqual({ y: [5] });
    const weighted = { parallel, combine: { y: 'mean' as const }, weights: [1, 3, 0] };
    expect(await run(weighted, { x: floats(4) })).toEqual({ y: [11] });
  });

  test('vote element by element; of several the first in order wins', async () => {
    const parallel = [{ model: 'a' }, { model: 'b' }, { model: 'c' }];
    const x = { x: floats(0) };
    expect(await run({ parallel, combine: 'vote' }, x)).toEqual({ label: [1n, 5n, 3n] });
    expect(await run({ parallel, combine: 'vote', weights: [1, 1, 3] }, x)).toEqual({
      label: [2n, 5n, 5n],
    });
    const words = { parallel: [{ model: 'text' }, { model: 'text' }], combine: 'vote' as const };
    expect(await run(words, x)).toEqual({ word: ['yes'] });
  });

  test.each([
    [
      { combine: 'vote' as const },
      'ensemble.combine: "y" is FP32, for which there is no vote; write y: mean',
    ],
    [{ combine: { z: 'mean' as const } }, 'ensemble.combine: there is no "z"; there is "y"'],
    [{ combine: 'mean' as const, weights: [1] }, 'ensemble.weights: are 1 for 2 branches'],
    [{ combine: 'mean' as const, weights: [0, 0] }, 'ensemble.weights: are all 0'],
    [{ weights: [1, 2] }, 'ensemble.weights: say nothing without combine'],
  ])('with %j are refused', (more, message) => {
    expect(() =>
      compile({ parallel: [{ model: 'double' }, { model: 'triple' }], ...more }),
    ).toThrow(message);
  });

  test('that answer in different shapes fail with both', async () => {
    const graph = { parallel: [{ model: 'a' }, { model: 'short' }], combine: 'vote' as const };
    await expect(run(graph, { x: floats(0) })).rejects.toMatchObject({
      code: 'InferenceFailed',
      message: 'the branches gave "label" in shapes [3] and [1], which cannot be combined',
    });
  });

  test('that cannot take the same input are refused', () => {
    expect(() => compile({ parallel: [{ model: 'a' }, { model: 'wide' }] })).toThrow(
      'ensemble: tensor "x" is FP32 [-1], and FP32 [-1, 4] is wanted',
    );
  });

  test('narrow an input to what all of them take', () => {
    const graph = { parallel: [{ model: 'a' }, { model: 'fixed' }] };
    expect(compile(graph).signature.inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [3] }]);
  });
});

describe('a switch', () => {
  const by = (when: string, otherwise = true): EnsembleNode => ({
    switch: [{ when, then: { model: 'double' } }],
    ...(otherwise ? { otherwise: { model: 'triple' } } : {}),
  });

  test.each([
    ['tensors.x[0] > 5.0', floats(6), 12],
    ['tensors.x[0] > 5.0', floats(5), 15],
    ['shapes["x"][0] == 1', floats(1), 2],
    ['tensors.x.exists(v, v < 0.0)', floats(-1), -2],
    ['parameters.country == "DE"', floats(1), 2],
    ['size(tensors.x) > 1', floats(1), 3],
  ])('by %s chooses the branch', async (when, x, wanted) => {
    expect(await run(by(when), { x }, { country: 'DE' })).toEqual({ y: [wanted] });
  });

  test('looks at integers, bits and texts as what they are', async () => {
    const given = (graph: EnsembleNode) => ({
      sequence: [{ parallel: [{ model: 'a' }, { model: 'text' }] }, graph],
    });
    const chosen = by('tensors.label[1] == 2 && tensors.word == ["yes"]');
    expect(await run(given(chosen), { x: floats(1) })).toEqual({ y: [2] });
  });

  test.each([
    ['parameters.country == "DE"', 'No such key: country'],
    ['tensors.x[7] > 0.0', 'x'],
    ['parameters.n', 'neither true nor false'],
  ])('by %s, of which a request says nothing, refuses the request', async (when) => {
    await expect(run(by(when), { x: floats(1) }, { n: 1 })).rejects.toMatchObject({
      code: 'InvalidRequest',
      message: expect.stringContaining(
        `the model chooses by ${when}, which is neither true nor false`,
      ) as unknown,
    });
  });

  test('without a case that holds refuses the request', async () => {
    await expect(run(by('false', false), { x: floats(1) })).rejects.toMatchObject({
      code: 'InvalidRequest',
      message: 'no case of ensemble.switch holds for this request, and there is no otherwise',
    });
  });

  test('does not look at tensors without end', async () => {
    const x = { datatype: 'FP32', shape: [5000], data: new Float32Array(5000) } as const;
    await expect(run(by('tensors.x[0] > 5.0'), { x })).rejects.toMatchObject({
      code: 'InvalidRequest',
    });
  });

  test.each([
    ['tensors.x[0] >', 'is no CEL'],
    ['nobody > 1', 'is no CEL: Unknown variable: nobody'],
    ['size(tensors.x)', 'yields int, not true or false'],
    ['tensors.z[0] > 1', 'there is no "z"; there is "x"'],
    ['tensors[parameters.p] == []', 'picks a tensor by something else than its name'],
    ['size(tensors) == 1', 'picks a tensor by something else than its name'],
    ['"a".matches("(a+)+$")', 'matches(), which are not allowed'],
    ['tensors.x.exists(a, tensors.x.exists(b, a > b))', 'more than one loop'],
  ])('by %s is refused', (when, message) => {
    expect(() => compile(by(when))).toThrow(message);
  });

  test('whose branches give different outputs is refused', () => {
    const graph = {
      switch: [{ when: 'true', then: { model: 'a' } }],
      otherwise: { model: 'double' },
    };
    expect(() => compile(graph)).toThrow(
      'one branch gives label and another y; rename or leave out outputs',
    );
  });
});

test('names that a model has not are refused with those it has', () => {
  expect(() => compile({ model: 'double', inputs: { z: 'x' } })).toThrow(
    'ensemble.inputs: there is no "z"; there is "x"',
  );
  expect(() => compile({ model: 'double', outputs: { z: 'y' } })).toThrow(
    'ensemble.outputs: there is no "z"; there is "y"',
  );
});

test('a graph is not nested without end', () => {
  const deep = Array.from({ length: 20 }).reduce<EnsembleNode>((node) => ({ sequence: [node] }), {
    model: 'a',
  });
  expect(() => compile(deep)).toThrow('is nested too deep');
});

test('what is over is not begun', async () => {
  const { run: ask } = compile({ model: 'double' });
  const refusal = () => new ProtocolError('DeadlineExceeded', 'late');
  const asked = ask({ refusal, inputs: new Map([['x', floats(1)]]), outputs: ['y'] });
  await expect(asked).rejects.toMatchObject({ code: 'DeadlineExceeded' });
});
