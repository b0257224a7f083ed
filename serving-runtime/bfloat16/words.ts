/**
 * BF16, the upper half of an IEEE 754 binary32, which JavaScript has no array for: in memory it is a
 * Float32Array of values that BF16 holds exactly, on the wire 16-bit words. Pure.
 */

/** Every word as the number it stands for; the bits of a NaN stay. */
export function floatsOfWords(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) bits[i] = (words[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

/** The words of what BF16 holds exactly; anything else is rounded to nearest, ties to even. */
export function wordsOfFloats(floats: Float32Array): Uint16Array {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const words = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = wordOf(bits[i] ?? 0);
  return words;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/**
 * The nearest BF16 of a double, of two as near the even one. Rounding to FP32 on the way may make a
 * tie of what was none, which is decided by the double itself.
 */
export function roundToBfloat16(value: number): number {
  scratch[0] = value;
  const [single = 0, bits = 0] = [scratch[0], scratchBits[0]];
  const isMadeTie = (bits & 0xffff) === 0x8000 && single !== value;
  const nudge = isMadeTie ? (Math.abs(value) > Math.abs(single) ? 1 : -1) : 0;
  scratchBits[0] = wordOf(bits + nudge) << 16;
  return scratch[0];
}

/** Of the bits of an FP32. */
function wordOf(bits: number): number {
  const upper = bits >>> 16;
  const isNan = (bits & 0x7fff_ffff) > 0x7f80_0000;
  // Where a NaN's mark is in the lower half only, the upper one would be an infinity.
  if (isNan) return (upper & 0x7f) === 0 ? upper | 0x40 : upper;
  return (bits + 0x7fff + (upper & 1)) >>> 16;
}
