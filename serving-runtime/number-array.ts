/** A flat JSON array of numbers, read from its bytes without a JavaScript value for each. */

const [zero, minus, point, comma, closing] = [0x30, 0x2d, 0x2e, 0x2c, 0x5d];
const [lowerE, upperE] = [0x65, 0x45];
const [space, tab, newline, carriageReturn] = [0x20, 0x09, 0x0a, 0x0d];
/** So many digits fit a 32-bit integer, with which processors are quickest. */
const quickDigits = 9;
const powersOfTen = Float64Array.from({ length: quickDigits + 1 }, (_, i) => 10 ** i);
/** A number of RFC 8259, section 6. */
const anyNumber = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
/** JSON.parse is quicker where this many numbers and an eighth of all have many digits. */
const slowAllowed = 16;

export type NumberArray = {
  readonly values: Float64Array;
  /** Where the text goes on, after the closing bracket. */
  readonly end: number;
};

/**
 * Room for the numbers of one text. An array of its own for each would be memory outside of V8's heap, whose
 * coming and going makes V8 collect all of the heap again and again.
 */
export class NumberRoom {
  #values = new Float64Array(0);
  #used = 0;

  /** Makes room for a text of so many bytes; what was read of the one before is written over. */
  clearFor(bytes: number): void {
    this.#used = 0;
    // A number and what follows it are two bytes at least.
    if (this.#values.length < (bytes >> 1) + 1) this.#values = new Float64Array((bytes >> 1) + 1);
  }

  /** What is free of it. */
  get free(): Float64Array {
    return this.#values.subarray(this.#used);
  }

  /** Keeps the first numbers of what was free, and gives them. */
  take(count: number): Float64Array {
    const taken = this.#values.subarray(this.#used, this.#used + count);
    this.#used += count;
    return taken;
  }
}

/**
 * Reads the array whose elements begin at `start`, after the bracket. Every element is the double that
 * JSON.parse would give: up to nine digits are an integer divided by a power of ten, which IEEE 754
 * rounds correctly (Clinger, "How to read floating point numbers accurately", PLDI 1990); others are left
 * to the engine. `undefined` for anything but numbers, for bad syntax, and where so many numbers have
 * more digits that JSON.parse is quicker.
 */
export function readNumberArray(
  text: Buffer,
  start: number,
  room: NumberRoom,
): NumberArray | undefined {
  const values = room.free;
  const reader = new NumberReader(text, start);
  for (let count = 0; reader.slow <= slowAllowed + count / 8; reader.at++) {
    const value = reader.next();
    if (Number.isNaN(value)) return undefined;
    values[count++] = value;
    reader.at = skipSpace(text, reader.at);
    const delimiter = text[reader.at];
    if (delimiter === closing) return { values: room.take(count), end: reader.at + 1 };
    if (delimiter !== comma) return undefined;
  }
  return undefined;
}

export function skipSpace(text: Buffer, start: number): number {
  let at = start;
  for (let c = text[at]; c === space || c === tab || c === newline || c === carriageReturn;) {
    c = text[++at];
  }
  return at;
}

/** Whether the digits from `first` to `end`, with decimals from `decimalsAt` (0: none), are a whole number by themselves. */
function isQuick(text: Buffer, first: number, end: number, decimalsAt: number): boolean {
  const integerEnd = decimalsAt === 0 ? end : decimalsAt - 1;
  const digits = decimalsAt === 0 ? end - first : end - first - 1;
  if (integerEnd === first || decimalsAt === end || digits > quickDigits) return false;
  if (text[first] === zero && integerEnd > first + 1) return false;
  const next = text[end];
  return next !== lowerE && next !== upperE;
}

class NumberReader {
  at: number;
  /** How many numbers were left to the engine. */
  slow = 0;
  readonly #text: Buffer;

  constructor(text: Buffer, start: number) {
    this.#text = text;
    this.at = start;
  }

  /** The number at `at`, which moves behind it; NaN where there is none. */
  next(): number {
    const text = this.#text;
    const start = skipSpace(text, this.at);
    const first = text[start] === minus ? start + 1 : start;
    let at = first;
    let integer = 0;
    let decimalsAt = 0;
    for (; ; at++) {
      const c = text[at] ?? 0;
      const digit = c - zero;
      if (digit >= 0 && digit <= 9) integer = (Math.imul(integer, 10) + digit) | 0;
      else if (c === point && decimalsAt === 0) decimalsAt = at + 1;
      else break;
    }
    this.at = at;
    if (!isQuick(text, first, at, decimalsAt)) return this.#leave(start);
    const value = decimalsAt === 0 ? integer : integer / (powersOfTen[at - decimalsAt] ?? 1);
    return first === start ? value : -value;
  }

  /** What has many digits, an exponent or a fault: up to 1 KiB of it, as much as anyone writes. */
  #leave(start: number): number {
    this.slow++;
    anyNumber.lastIndex = 0;
    const [found] = anyNumber.exec(this.#text.toString('latin1', start, start + 1024)) ?? [];
    if (found === undefined) return Number.NaN;
    this.at = start + found.length;
    return Number(found);
  }
}
