/** The models that are measured, and one request for each. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { frame } from '../../../serving-runtime/grpc/frames.ts';
import { ModelInferRequestSchema } from '../../../serving-runtime/grpc/generated/inference_pb.js';
import { run } from '../../cluster/command.ts';

export type Workload = {
  readonly name: 'iris' | 'mlp10m' | 'cnn10m';
  readonly path: string;
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  /** Of Triton's configuration, which cannot be read from the model. */
  readonly outputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly dims: string;
  }[];
  readonly values: readonly number[];
  /** The same request as JSON, and as a framed gRPC message. */
  readonly jsonFile: string;
  readonly json: string;
  readonly grpcFile: string;
};

/** The name every server gives its model. */
export const MODEL_NAME = 'bench';

const vectors = [{ name: 'y', type: 'FP32', dims: '-1, 10' }];

type Form = Pick<Workload, 'name' | 'input' | 'outputs'>;

const forms: readonly Form[] = [
  {
    ...{ name: 'iris', input: { name: 'X', shape: [1, 4] } },
    outputs: [
      { name: 'label', type: 'INT64', dims: '-1' },
      { name: 'probabilities', type: 'FP32', dims: '-1, 3' },
    ],
  },
  { name: 'mlp10m', input: { name: 'x', shape: [1, 64] }, outputs: vectors },
  { name: 'cnn10m', input: { name: 'x', shape: [1, 3, 32, 32] }, outputs: vectors },
];

/** Writes models and requests into `folder`. `python` has onnx. */
export const prepareWorkloads = async (
  repository: string,
  folder: string,
  python: () => Promise<string>,
): Promise<readonly Workload[]> => {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'cnn10m.onnx'))) {
    await run(await python(), [join(import.meta.dirname, 'make-models.py'), folder]);
  }
  cpSync(join(repository, 'serving-runtime/testing/models/iris.onnx'), join(folder, 'iris.onnx'));
  return forms.map(({ name, input, outputs }) => {
    const count = input.shape.reduce((product, size) => product * size, 1);
    const values =
      name === 'iris'
        ? [5.1, 3.5, 1.4, 0.2]
        : // Like pixels: four digits, none of them round.
          Array.from({ length: count }, (_, i) => Math.round(Math.sin(i * 12.9898) * 1e4) / 1e4);
    const tensor = { name: input.name, datatype: 'FP32', shape: [...input.shape] };
    const json = JSON.stringify({ inputs: [{ ...tensor, data: values }] });
    const message = create(ModelInferRequestSchema, {
      modelName: MODEL_NAME,
      inputs: [{ ...tensor, shape: tensor.shape.map(BigInt) }],
      rawInputContents: [new Uint8Array(Float32Array.from(values).buffer)],
    });
    const [jsonFile, grpcFile] = [join(folder, `${name}.json`), join(folder, `${name}.grpc`)];
    writeFileSync(jsonFile, json);
    writeFileSync(grpcFile, frame(toBinary(ModelInferRequestSchema, message)));
    const path = join(folder, `${name}.onnx`);
    return { name, path, input, outputs, values, jsonFile, json, grpcFile };
  });
};
