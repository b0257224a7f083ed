import { describe, expect, test } from '@jest/globals';
import { floatsOfWords, roundToBfloat16, wordsOfFloats } from './words.ts';

describe('a word', () => {
  // The upper halves of IEEE 754 binary32: 8 bits of exponent, 7 of fraction.
  test.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x3f80, 1],
    [0xc000, -2],
    [0x4049, 3.140625],
    [0x7f7f, 3.3895313892515355e38],
    [0x0080, 1.1754943508222875e-38],
    [0x0001, 9.183549615799121e-41],
    [0x7f80, Infinity],
    [0xff80, -Infinity],
    [0x7fc0, NaN],
  ])('%i stands for %d', (word, value) => {
    expect(floatsOfWords(Uint16Array.of(word))[0]).toBe(value);
    expect(wordsOfFloats(Float32Array.of(value))[0]).toBe(word);
  });

  test('comes back from its number, each of all 65536', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    expect(wordsOfFloats(floatsOfWords(all))).toEqual(all);
  });
});

describe('a number is rounded', () => {
  test.each([
    ['down to the nearest', 1.003, 1],
    ['up to the nearest', 1.005, 1.0078125],
    ['from a tie to the even one below', 1 + 2 ** -8, 1],
    ['from a tie to the even one above', 1 + 3 * 2 ** -8, 1 + 2 ** -6],
    ['up from just above a tie, which FP32 takes for one', 1 + 2 ** -8 + 2 ** -40, 1.0078125],
    ['down from just below one', 1 + 3 * 2 ** -8 - 2 ** -40, 1.0078125],
    ['likewise where negative', -(1 + 2 ** -8 + 2 ** -40), -1.0078125],
    ['to a subnormal', 1e-40, 9.183549615799121e-41],
    ['to zero with its sign', -1e-42, -0],
    ['to the largest', 3.39e38, 3.3895313892515355e38],
    ['to infinity over the largest', 3.4e38, Infinity],
    ['to infinity over the largest of FP32', -1e300, -Infinity],
    ['to NaN', NaN, NaN],
  ])('%s', (_how, value, wanted) => {
    expect(roundToBfloat16(value)).toBe(wanted);
  });

  test('and a NaN marked in its lower half only is none the less NaN', () => {
    const nan = new Float32Array(Uint32Array.of(0x7f80_0001, 0xff80_ffff).buffer);
    expect(wordsOfFloats(nan)).toEqual(Uint16Array.of(0x7fc0, 0xffc0));
  });
});
