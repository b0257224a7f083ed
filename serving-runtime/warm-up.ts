import { ModelFailure } from './model-failure.ts';
import type { TensorSignature } from './protocol/signature.ts';
import { elementCount } from './protocol/signature.ts';
import type { ModelSession } from './session.ts';
import type { Tensor } from './tensors.ts';
import { allocateNumbers } from './tensors.ts';

/** A dimension this large would make the warm-up itself the load. */
const maximumElements = 64 * 1024 * 1024;

/**
 * One inference on zeros, with 1 for every dimension that may vary. When it fails on a model whose
 * batch dimension alone varies, the model cannot serve anything: ModelFailure `InvalidModel`.
 * Otherwise sizes of 1 may simply not fit each other, so a failure is given to `onInconclusive`.
 * Gives the inputs of the inference where it succeeded.
 */
export async function warmUp(
  session: Pick<ModelSession, 'signature' | 'run'>,
  onInconclusive: (error: unknown) => void,
): Promise<ReadonlyMap<string, Tensor> | undefined> {
  const { inputs, outputs } = session.signature;
  const shapes = inputs.map(smallestShape);
  if (shapes.some((shape) => elementCount(shape) > maximumElements)) return undefined;
  const zeros = new Map(inputs.map((input, i) => [input.name, zeroTensor(input, shapes[i] ?? [])]));
  try {
    await session.run(
      zeros,
      outputs.map((output) => output.name),
    );
    return zeros;
  } catch (error) {
    if (inputs.every(variesInBatchOnly)) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ModelFailure('InvalidModel', `the warm-up inference failed: ${reason}`, {
        cause: error,
      });
    }
    onInconclusive(error);
    return undefined;
  }
}

function smallestShape(input: TensorSignature): readonly number[] {
  return input.shape.map((dimension) => (dimension === -1 ? 1 : dimension));
}

function variesInBatchOnly(input: TensorSignature): boolean {
  return input.shape.length > 0 && input.shape.every((dimension, i) => i === 0 || dimension !== -1);
}

function zeroTensor({ datatype }: TensorSignature, shape: readonly number[]): Tensor {
  const count = elementCount(shape);
  const data =
    datatype === 'BYTES' ? new Array<string>(count).fill('') : allocateNumbers(datatype, count);
  return { datatype, shape, data };
}
