import { NotApplicable, type Case } from '../case.ts';
import { expectRefusal } from '../inference.ts';
import { sampleInputs, type SampleInput } from '../sample-request.ts';
import type { Target } from '../target.ts';

/** Wrong requests: refused with a status of the client's and an error, and the next one is answered. */
export const refusalCases: readonly Case[] = [
  wrong('a body that is no JSON', () => '{"inputs": [', { raw: true }),
  wrong('an empty body', () => '', { raw: true }),
  wrong('a body without inputs', () => ({})),
  wrong('inputs that are no list', () => ({ inputs: {} })),
  wrong('a missing input', (inputs) => ({ inputs: inputs.slice(1) })),
  wrong('an input the model has not', (inputs) => ({
    inputs: [...inputs, { name: 'nobody-has-this', datatype: 'FP32', shape: [1], data: [1] }],
  })),
  wrong('an output the model has not', (inputs) => ({
    inputs,
    outputs: [{ name: 'nobody-has-this' }],
  })),
  wrong('another datatype', (inputs) => ({
    inputs: changed(inputs, ({ datatype }) => ({
      datatype: datatype === 'FP64' ? 'INT8' : 'FP64',
    })),
  })),
  wrong('a datatype there is not', (inputs) => ({
    inputs: changed(inputs, () => ({ datatype: 'FLOAT' })),
  })),
  wrong('another number of dimensions', (inputs) => ({
    inputs: changed(inputs, ({ shape }) => {
      if (shape.length === 0) throw new NotApplicable('a scalar input');
      return { shape: [...shape, 1] };
    }),
  })),
  wrong('fewer values than the shape says', (inputs) => ({
    inputs: changed(inputs, ({ data }) => ({ data: data.slice(1) })),
  })),
  wrong('more values than the shape says', (inputs) => ({
    inputs: changed(inputs, ({ data }) => ({ data: [...data, ...data.slice(0, 1)] })),
  })),
  wrong('a value of another kind', (inputs) => ({
    inputs: changed(inputs, ({ data, datatype }) => ({
      data: [datatype === 'BYTES' ? { a: 1 } : 'text', ...data.slice(1)],
    })),
  })),
  wrong('an input without a shape', (inputs) => ({
    inputs: changed(inputs, () => ({ shape: undefined })),
  })),
];

function wrong(
  what: string,
  make: (inputs: readonly SampleInput[]) => unknown,
  { raw = false }: { readonly raw?: boolean } = {},
): Case {
  return {
    name: `${what} is refused with an error, and the server goes on`,
    check: (target: Target) => {
      const body = make(sampleInputs(target));
      return expectRefusal(target, raw ? body : JSON.stringify(body));
    },
  };
}

const changed = (
  [first, ...others]: readonly SampleInput[],
  change: (input: SampleInput) => object,
): readonly object[] => (first === undefined ? [] : [{ ...first, ...change(first) }, ...others]);
