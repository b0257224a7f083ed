/** Takes the tensors of a request out of its JSON before that is parsed. */
import { isUtf8 } from 'node:buffer';
import { isRecord } from './protocol/is-record.ts';
import { NumberRoom, readNumberArray, skipSpace } from './number-array.ts';

const key = '"data"';
const [colon, opening, backslash] = [0x3a, 0x5b, 0x5c];
/** Below, JSON.parse is as quick; above, the room for the numbers is not worth keeping. */
const [leastBytes, mostBytes] = [512, 1 << 20];

const room = new NumberRoom();

/**
 * The JSON value of an inference request whose inputs' flat `data` are read straight into Float64Arrays,
 * which costs half of what JSON.parse does. `undefined` wherever the text is not as plain as that, and
 * is to be parsed as a whole; what it gives is then the same as JSON.parse would give. The arrays hold until
 * the next call.
 */
export function parseLifted(body: Buffer): unknown {
  if (body.length < leastBytes || body.length > mostBytes) return undefined;
  room.clearFor(body.length);
  const lifted = liftData(body);
  // Without escapes a name is always written as it is, so that no "data" was overlooked.
  if (lifted === undefined || lifted.rest.includes(backslash) || !isUtf8(lifted.rest)) {
    return undefined;
  }
  const value = parsed(lifted.rest);
  return putBack(value, lifted.arrays) === lifted.arrays.length ? value : undefined;
}

/** `undefined` for faults, which the whole text shows where they are. */
function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'));
  } catch {
    return undefined;
  }
}

type Lifted = { readonly rest: Buffer; readonly arrays: readonly Float64Array[] };

/** The text with the index of its array in place of each array's elements. */
function liftData(body: Buffer): Lifted | undefined {
  const parts: Buffer[] = [];
  const arrays: Float64Array[] = [];
  let copied = 0;
  for (let at = body.indexOf(key); at !== -1; at = body.indexOf(key, at + key.length)) {
    const colonAt = skipSpace(body, at + key.length);
    // The name of a tensor, say, and no key.
    if (body[colonAt] !== colon) continue;
    const bracketAt = skipSpace(body, colonAt + 1);
    const array =
      body[bracketAt] === opening ? readNumberArray(body, bracketAt + 1, room) : undefined;
    if (array === undefined) return undefined;
    parts.push(body.subarray(copied, bracketAt + 1), Buffer.from(`${String(arrays.length)}]`));
    arrays.push(array.values);
    copied = array.end;
  }
  return arrays.length === 0
    ? undefined
    : { rest: Buffer.concat([...parts, body.subarray(copied)]), arrays };
}

/** Gives the inputs their arrays; how many found their place. */
function putBack(value: unknown, arrays: readonly Float64Array[]): number {
  if (!isRecord(value) || !Array.isArray(value['inputs'])) return 0;
  let count = 0;
  for (const input of value['inputs']) {
    if (!isRecord(input) || !Array.isArray(input['data'])) continue;
    const array = arrays[Number(input['data'][0])];
    if (array === undefined) continue;
    Object.assign(input, { data: array });
    count++;
  }
  return count;
}
