import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseLifted } from './lift-numbers.ts';

/** Long enough that it is worth it. */
const padding = ' '.repeat(512);
const inputOf = (data: string) =>
  `{"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":${data}}]}${padding}`;
const lift = (json: string) => parseLifted(Buffer.from(json));
const dataOf = (json: string) =>
  (lift(json) as { inputs: { data: Float64Array }[] } | undefined)?.inputs.map(({ data }) => data);

test('flat numbers come as doubles, in whatever form they are written', () => {
  const json = inputOf('[ 0.1,-0 , 12 ,3e-5,1E+2,\n0.30000000000000004,-123456789.5,9.99999999 ]');
  expect(dataOf(json)).toEqual([
    Float64Array.of(0.1, -0, 12, 3e-5, 100, 0.30000000000000004, -123456789.5, 9.99999999),
  ]);
});

test('each input gets its own, and a tensor may be named data', () => {
  const json = `{"inputs":[{"data":[1],"name":"data"},{"name":"b","data":[2,3]}]}${padding}`;
  expect(dataOf(json)).toEqual([Float64Array.of(1), Float64Array.of(2, 3)]);
});

test.each([
  ['texts', inputOf('["a","b"]')],
  ['nested arrays', inputOf('[[1],[2]]')],
  ['an empty array', inputOf('[]')],
  ['no array', inputOf('7')],
  ['bad syntax', inputOf('[01]')],
  ['a comma too many', inputOf('[1,]')],
  ['a number that ends early', inputOf('[1.]')],
  ['a number without its first digit', inputOf('[.5]')],
  ['a plus', inputOf('[+1]')],
  ['an end in the middle', `${padding}{"inputs":[{"data":[1,2`],
  ['mostly long numbers', inputOf(`[${Array(64).fill('0.12345678901234567').join(',')}]`)],
  ['escapes', `{"inputs":[{"d\\u0061ta":[5],"x":1}],"data":[1]}${padding}`],
  ['data that belongs to no input', `{"inputs":[],"parameters":{"data":[1]}}${padding}`],
  ['data given twice', `{"inputs":[{"data":[1],"data":[2]}]}${padding}`],
  ['broken JSON around it', `{"inputs":[{"data":[1]}]${padding}`],
  ['a short body', '{"inputs":[{"data":[1]}]}'],
])('%s are left to JSON.parse', (_what, json) => {
  expect(lift(json)).toBeUndefined();
});

test('bytes that are no UTF-8 are left to it, too', () => {
  const body = Buffer.concat([Buffer.from(inputOf('[1]')), Buffer.from([0x22, 0xff, 0x22])]);
  expect(parseLifted(body)).toBeUndefined();
});

test('what is lifted is what JSON.parse gives', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.tuple(fc.integer(), fc.nat(9)).map(([digits, places]) => digits / 10 ** places),
  );
  const input = fc.record({ name: fc.string(), data: fc.array(number, { maxLength: 40 }) });
  fc.assert(
    fc.property(fc.array(input), fc.jsonValue(), (inputs, parameters) => {
      const json = JSON.stringify({ inputs, parameters }) + padding;
      const lifted = lift(json);
      if (lifted === undefined) return;
      const arrays = (lifted as { inputs: { data: Float64Array }[] }).inputs;
      const boxed = arrays.map((each) => ({ ...each, data: [...each.data] }));
      expect({ ...lifted, inputs: boxed }).toEqual(JSON.parse(json));
    }),
    { numRuns: 1000 },
  );
});
