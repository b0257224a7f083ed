import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { InvalidModel } from './invalid-model.ts';
import { type OnnxSignature, readOnnxSignature } from './onnx-signature.ts';
import { message, number, onnxModel, tensorType, valueInfo } from './testing/protobuf.ts';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../serving-runtime/testing/models/${name}`, import.meta.url));

const inChunks = (bytes: Uint8Array, size: number): AsyncIterator<Uint8Array> =>
  (async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  })();

const read = (bytes: Uint8Array, chunkSize = 65_536): Promise<OnnxSignature> =>
  readOnnxSignature(inChunks(bytes, chunkSize));

const refusalOf = async (bytes: Uint8Array): Promise<InvalidModel> => {
  try {
    await read(bytes);
  } catch (error) {
    if (error instanceof InvalidModel) return error;
    throw error;
  }
  throw new Error('was accepted');
};

const x = valueInfo(11, 'x', tensorType(1, ['n', 4]));
const y = valueInfo(12, 'y', tensorType(1, ['n']));

describe('the signature of an ONNX file', () => {
  test('is read from a scikit-learn model', async () => {
    expect(await read(fixture('iris.onnx'))).toEqual({
      inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
      ],
      opsets: { '': 17, 'ai.onnx.ml': 1 },
      irVersion: 8,
      producer: 'skl2onnx 1.20.0',
      externalData: false,
    });
  });

  test('names every datatype as the inference protocol does', async () => {
    const { inputs } = await read(fixture('identity.onnx'));
    expect(inputs.map(({ name, datatype }) => `${name} ${datatype}`)).toEqual([
      'in_bool BOOL',
      'in_uint8 UINT8',
      'in_uint16 UINT16',
      'in_uint32 UINT32',
      'in_uint64 UINT64',
      'in_int8 INT8',
      'in_int16 INT16',
      'in_int32 INT32',
      'in_int64 INT64',
      'in_fp16 FP16',
      'in_fp32 FP32',
      'in_fp64 FP64',
      'in_bytes BYTES',
    ]);
  });

  test('names BF16, which the runtime serves as well', async () => {
    const { inputs, outputs } = await read(fixture('bfloat16.onnx'));
    expect([...inputs, ...outputs]).toEqual([
      { name: 'X', datatype: 'BF16', shape: [-1, 4] },
      { name: 'same', datatype: 'BF16', shape: [-1, 4] },
      { name: 'single', datatype: 'FP32', shape: [-1, 4] },
      { name: 'scores', datatype: 'BF16', shape: [-1, 2] },
    ]);
  });

  test('keeps scalars apart from tensors of unknown rank', async () => {
    expect((await read(fixture('slow.onnx'))).outputs).toEqual([
      { name: 'result', datatype: 'FP32', shape: [] },
    ]);
    const unknown = onnxModel(valueInfo(12, 'y', tensorType(1)));
    expect((await read(unknown)).outputs[0]?.shape).toEqual([-1]);
  });

  test('gives symbolic, missing and negative sizes as -1', async () => {
    const model = onnxModel(
      valueInfo(12, 'y', tensorType(7, ['batch', null, -5, 3, 0, 2n ** 60n])),
    );
    expect((await read(model)).outputs[0]?.shape).toEqual([-1, -1, -1, 3, 0, -1]);
  });

  test('leaves out inputs that an initializer fills, dense or sparse, before or after it', async () => {
    const weight = message(5, message(8, 'w'), message(9, Buffer.alloc(1000)));
    const sparse = message(15, message(1, message(8, 's')), message(2, number(2, 7)));
    const w = valueInfo(11, 'w', tensorType(1, [250]));
    const s = valueInfo(11, 's', tensorType(1, [9]));
    const names = async (model: Buffer): Promise<readonly string[]> =>
      (await read(model)).inputs.map(({ name }) => name);
    expect(await names(onnxModel(weight, sparse, w, x, s, y))).toEqual(['x']);
    expect(await names(onnxModel(w, x, s, y, sparse, weight))).toEqual(['x']);
  });

  test('says when weights lie in other files, also those of subgraphs', async () => {
    expect((await read(fixture('external.onnx'))).externalData).toBe(true);
    const external = message(5, number(14, 1));
    const inAttribute = onnxModel(message(1, message(5, external)), y);
    const inSubgraph = onnxModel(message(1, message(5, message(6, external))), y);
    expect((await read(inAttribute)).externalData).toBe(true);
    expect((await read(inSubgraph)).externalData).toBe(true);
    expect((await read(onnxModel(message(5, number(14, 0)), y))).externalData).toBe(false);
  });

  test('does not depend on where chunks end', async () => {
    const bytes = fixture('iris.onnx');
    const whole = await read(bytes);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: bytes.length }), async (size) => {
        expect(await read(bytes, size)).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  test('skips gigabytes of weights without holding them', async () => {
    const chunk = Buffer.alloc(1024 * 1024);
    const chunks = 3 * 1024;
    const size = chunk.length * chunks;
    const raw = lengthOnly(9, size);
    const tensor = lengthOnly(5, raw.length + size);
    const graph = lengthOnly(7, tensor.length + raw.length + size + x.length + y.length);
    const head = Buffer.concat([number(1, 8), graph, tensor, raw]);
    const stream = (async function* () {
      yield head;
      for (let sent = 0; sent < chunks; sent++) yield chunk;
      yield Buffer.concat([x, y, message(8, number(2, 17))]);
    })();
    const before = process.memoryUsage().arrayBuffers;
    const signature = await readOnnxSignature(stream);
    expect(signature.inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1, 4] }]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
  });
});

/** Tag and length of a field whose payload comes later. */
const lengthOnly = (field: number, length: number): Buffer => {
  const bytes = [field * 8 + 2];
  let rest = length;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
};

describe('what is refused', () => {
  test.each([
    ['', 'the file is empty'],
    ['PK\x03\x04 torch', 'zip archive'],
    ['\x80\x04\x95 pickle', 'Python pickle'],
    ['\x89HDF\r\n\x1a\n', 'HDF5'],
    ['\x1f\x8b\x08', 'gzip'],
    ['version https://git-lfs.github.com/spec/v1\n', 'git lfs pull'],
    ['\x1c\x00\x00\x00TFL3', 'TensorFlow Lite'],
    ['\x40\x00\x00\x00\x00\x00\x00\x00{"w":', 'safetensors'],
    ['<!DOCTYPE html><html>', 'web page'],
    ['{"model": 1}', 'JSON'],
    ['hello, this is no model', 'not an ONNX model'],
  ])('a file that starts with %j, saying what it is', async (start, wantMessage) => {
    const refusal = await refusalOf(Buffer.from(start, 'latin1'));
    expect(refusal.reason).toBe('NotOnnx');
    expect(refusal.message).toContain(wantMessage);
  });

  test('a file cut off anywhere, without hanging', async () => {
    const bytes = fixture('iris.onnx');
    const whole: number[] = [];
    for (let end = 0; end < bytes.length; end++) {
      const outcome = await read(bytes.subarray(0, end)).catch((error: unknown) => error);
      if (!(outcome instanceof InvalidModel)) whole.push(bytes.length - end);
      else expect(outcome.reason).toBe(end < 2 ? 'NotOnnx' : 'Truncated');
    }
    // Only between the operator sets at its end does a shorter file look whole; its digest differs.
    expect(whole).toEqual([12, 6]);
  });

  test('any bytes at all end in a signature or a refusal', async () => {
    const start = fixture('two-inputs.onnx');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(start.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.uint8Array({ maxLength: 200 }),
        async (edits, tail) => {
          const damaged = Buffer.concat([start, tail]);
          for (const [at, byte] of edits) damaged[at] = byte;
          await read(damaged, 50).catch((error: unknown) => {
            if (!(error instanceof InvalidModel)) throw error;
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('maps and sequences, with the way to export without them', async () => {
    const refusal = await refusalOf(fixture('iris-zipmap.onnx'));
    expect(refusal.reason).toBe('NotServable');
    expect(refusal.message).toBe(
      '"output_probability" is a sequence, not a tensor; scikit-learn classifiers do so by default: ' +
        "export with zipmap=False (skl2onnx: options={'zipmap': False})",
    );
  });

  test.each([
    ['an element type without a name', fixture('complex-output.onnx'), 'element type 14'],
    ['a graph without outputs', onnxModel(x), 'no outputs'],
    ['an optional output', onnxModel(valueInfo(12, 'y', message(9, ''))), 'an optional value'],
    ['an output without a type', onnxModel(message(12, message(1, 'y'))), 'has no name or no type'],
  ])('%s', async (_what, bytes, wantMessage) => {
    const refusal = await refusalOf(bytes);
    expect(refusal.reason).toBe('NotServable');
    expect(refusal.message).toContain(wantMessage);
  });

  test('messages nested without end', async () => {
    let nested = message(1, '');
    for (let depth = 0; depth < 60; depth++) nested = message(1, message(5, message(6, nested)));
    expect((await refusalOf(onnxModel(nested, y))).message).toContain('nest too deeply');
  });

  test('a name longer than any name', async () => {
    const long = onnxModel(message(5, message(8, 'n'.repeat(70_000))), y);
    expect((await refusalOf(long)).message).toContain('70000 bytes');
  });
});
