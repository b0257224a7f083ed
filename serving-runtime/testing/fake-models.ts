/** Models for tests of what is around them: what they compute is a function, how they load is told. */
import type { EnsembleNode } from '../ensemble/graph.ts';
import type { Inference } from '../inference/compute.ts';
import type { ServedModel } from '../inference/served-model.ts';
import type { ModelSignature } from '../protocol/signature.ts';
import type { CatalogEntry } from '../repository/catalog.ts';
import type { Tensor } from '../tensors.ts';

export const floats = (...values: readonly number[]): Tensor => ({
  ...{ datatype: 'FP32', shape: [values.length] },
  data: Float32Array.from(values),
});

export const integers = (...values: readonly number[]): Tensor => ({
  ...{ datatype: 'INT64', shape: [values.length] },
  data: BigInt64Array.from(values.map(BigInt)),
});

/** x and y of as many floats as one likes. */
export const vectors: ModelSignature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
};

export type Compute = (inputs: ReadonlyMap<string, Tensor>) => Readonly<Record<string, Tensor>>;

export function fakeModel(
  signature: ModelSignature,
  compute: Compute,
): Pick<ServedModel, 'signature' | 'run'> {
  return {
    signature,
    run: async ({ inputs, outputs }: Inference) => {
      const results = compute(inputs);
      return outputs.flatMap((name) => results[name] ?? []);
    },
  };
}

/** y = factor * x */
export const times = (factor: number) =>
  fakeModel(vectors, (inputs) => ({
    y: floats(...Array.from(inputs.get('x')?.data as Float32Array, (value) => factor * value)),
  }));

const rest = { load: true };

export const onnxEntry = (
  model: string,
  version: string,
  digest = `sha256:${version}`,
): CatalogEntry => ({
  ...{ ...rest, model, version, digest },
  content: { kind: 'onnx', source: { kind: 'path', path: `/models/${model}` } },
});

export const ensembleEntry = (model: string, graph: EnsembleNode): CatalogEntry => ({
  ...{ ...rest, model, version: '1', digest: `sha256:${JSON.stringify(graph)}` },
  content: { kind: 'ensemble', graph },
});
