/** No server is measured that answers wrong. */
import * as ort from 'onnxruntime-node';
import type { Workload } from './workload.ts';

/** By output, flat: MLServer gives vectors a second dimension. */
export type Golden = Readonly<Record<string, readonly number[]>>;

/** What ONNX Runtime answers in this process. */
export const goldenOf = async ({ path, input, values }: Workload): Promise<Golden> => {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1 });
  const x = new ort.Tensor('float32', Float32Array.from(values), [...input.shape]);
  const results = await session.run({ [input.name]: x });
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [
      name,
      Array.from(data as Float32Array, Number),
    ]),
  );
};

/** Microseconds one run takes in this process, the median of many. */
export const inProcessMicros = async ({ path, input, values }: Workload): Promise<number> => {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1 });
  const x = new ort.Tensor('float32', Float32Array.from(values), [...input.shape]);
  const took: number[] = [];
  for (let i = 0; i < 600; i++) {
    const began = performance.now();
    await session.run({ [input.name]: x });
    took.push((performance.now() - began) * 1000);
  }
  await session.release();
  return took.slice(100).sort((a, b) => a - b)[250] ?? 0;
};

/** Versions and processors round differently in the last places. */
const TOLERANCE = 1e-4;

/** Throws where an answer differs. */
export const checkGolden = async (
  contestant: string,
  url: string,
  workload: Workload,
  golden: Golden,
): Promise<void> => {
  const response = await fetch(url, {
    ...{ method: 'POST', body: workload.json, headers: { 'content-type': 'application/json' } },
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${contestant} answers ${response.status}: ${text}`);
  const { outputs } = JSON.parse(text) as {
    readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
  };
  for (const [name, wanted] of Object.entries(golden)) {
    const got = outputs.find((output) => output.name === name)?.data ?? [];
    const isRight =
      got.length === wanted.length &&
      wanted.every(
        (value, i) => Math.abs(value - (got[i] ?? NaN)) <= TOLERANCE * (1 + Math.abs(value)),
      );
    if (!isRight) {
      throw new Error(
        `${contestant} answers ${name} = ${got.join(', ')}, not ${wanted.join(', ')}`,
      );
    }
  }
};
