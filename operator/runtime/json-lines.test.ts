import { describe, expect, test } from '@jest/globals';
import { GarbageError, jsonLines } from './json-lines.ts';

async function* chunksOf(...chunks: readonly (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

const parse = async (...chunks: readonly (string | Uint8Array)[]): Promise<unknown[]> => {
  const values: unknown[] = [];
  for await (const value of jsonLines(chunksOf(...chunks))) values.push(value);
  return values;
};

describe('lines of JSON', () => {
  test('are put together whatever the chunks', async () => {
    expect(await parse('{"a":', '1}\n{"a":2}\n{"', 'a":3', '}\n')).toEqual([
      { a: 1 },
      { a: 2 },
      { a: 3 },
    ]);
  });

  test('survive a chunk that ends inside a character', async () => {
    const bytes = Buffer.from('{"name":"Müller 🦊"}\n');
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(await parse(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual([
        { name: 'Müller 🦊' },
      ]);
    }
  });

  test('may lack the last newline, and empty lines are none', async () => {
    expect(await parse('{"a":1}\n\n{"a":2}')).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test('a line that is no JSON throws, after what came before it', async () => {
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const value of jsonLines(chunksOf('{"a":1}\n<html>\n{"a":2}\n'))) seen.push(value);
    };
    await expect(read()).rejects.toThrow(GarbageError);
    expect(seen).toEqual([{ a: 1 }]);
  });

  test('a line cut short throws', async () => {
    await expect(parse('{"a":1}\n{"a":')).rejects.toThrow(GarbageError);
  });

  test('bytes that are no UTF-8 throw', async () => {
    await expect(parse(Uint8Array.from([0x22, 0xff, 0x22, 0x0a]))).rejects.toThrow('no UTF-8');
  });
});
