/** Round marks on an axis, from the first to the last; at least two, strictly growing. */
export type Ticks = readonly number[];

/** Farther out than this, differences would overflow. */
const FARTHEST = 1e300;
/** Nearer than this part of their size, numbers cannot be told apart on an axis. */
const RELATIVE_RESOLUTION = 1e-10;
/** Numbers nearer to 0 lose digits. */
const SMALLEST = 1e-290;

/**
 * Multiples of 1, 2 or 5 times a power of ten that enclose min and max, about `count` of them.
 * Equal bounds are widened. Bounds must be finite.
 */
export const linearTicks = (min: number, max: number, count = 6): Ticks => {
  const [low, high] = apart(clamped(min), clamped(max));
  const step = roundStep((high - low) / count);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => tidy((first + index) * step));
};

/**
 * 1, 2 and 5 times powers of ten that enclose min and max; over many decades powers of ten only.
 * Bounds must be finite and greater than 0.
 */
export const logTicks = (min: number, max: number, count = 8): Ticks => {
  const [from, to] = [inLogRange(min), inLogRange(max)];
  const [low, high] = to / from < 1.01 ? [from / 2, to * 2] : [from, to];
  const fine = marksBetween(low, high, [1, 2, 5]);
  if (fine.length <= count) return fine;
  const whole = marksBetween(low, high, [1]);
  const stride = Math.ceil((whole.length - 1) / count);
  const thinned = whole.filter((_, index) => index % stride === 0);
  const end = whole.at(-1) ?? high;
  return thinned.at(-1) === end ? thinned : [...thinned, end];
};

/** As short as it can be said: 0.05, 1200, 1e-7. */
export const tickLabel = (value: number): string => {
  const size = Math.abs(value);
  const plain = value === 0 || (size >= 1e-4 && size < 1e6);
  const tidied = tidy(value);
  return plain ? String(tidied) : tidied.toExponential().replace('e+', 'e');
};

const clamped = (value: number): number => Math.max(-FARTHEST, Math.min(FARTHEST, value));

const inLogRange = (value: number): number => Math.max(SMALLEST, Math.min(FARTHEST, value));

const apart = (min: number, max: number): readonly [number, number] => {
  const size = Math.max(Math.abs(min), Math.abs(max));
  if (max - min > Math.max(size * RELATIVE_RESOLUTION, SMALLEST)) return [min, max];
  const half = size < SMALLEST ? 1 : size / 10;
  return [min - half, max + half];
};

const roundStep = (rough: number): number => {
  const power = 10 ** Math.floor(Math.log10(rough));
  const times = [1, 2, 5].find((each) => each * power >= rough * (1 - 1e-9)) ?? 10;
  return times * power;
};

/** The last mark at or below low, the first at or above high, and those between. */
const marksBetween = (low: number, high: number, times: readonly number[]): Ticks => {
  const from = Math.floor(Math.log10(low)) - 1;
  const to = Math.ceil(Math.log10(high)) + 1;
  const all = Array.from({ length: to - from + 1 }, (_, index) => from + index).flatMap((power) =>
    times.map((each) => Number(`${each}e${power}`)),
  );
  const first = all.findLastIndex((mark) => mark <= low * (1 + 1e-9));
  const last = all.findIndex((mark) => mark >= high * (1 - 1e-9));
  return all.slice(Math.max(first, 0), last === -1 ? undefined : last + 1);
};

/** 0.30000000000000004 is 0.3. */
const tidy = (value: number): number => Number(value.toPrecision(12));
