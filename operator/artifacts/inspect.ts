import { createHash } from 'node:crypto';
import { InvalidModel } from './invalid-model.ts';
import { type OnnxSignature, readOnnxSignature } from './onnx-signature.ts';

export type Inspection = {
  /** `sha256:<hex>` of all bytes. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** What the model takes and gives, or why it cannot be served. */
  readonly model: OnnxSignature | InvalidModel;
};

/** Reads a file once, to its end, for its digest, its size and its ONNX signature. */
export const inspectModel = async (body: AsyncIterable<Uint8Array>): Promise<Inspection> => {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const hashed = (async function* () {
    for await (const chunk of body) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
      yield chunk;
    }
  })();
  const model = await signatureOrFault(hashed);
  // The scanner may stop early; the digest is of the whole file all the same.
  while (!(await hashed.next()).done);
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes, model };
};

/** The same for bytes that are not ONNX. */
export const digestOf = async (
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly digest: string; readonly sizeBytes: number }> => {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes };
};

const signatureOrFault = async (
  chunks: AsyncIterator<Uint8Array>,
): Promise<OnnxSignature | InvalidModel> => {
  try {
    return await readOnnxSignature(chunks);
  } catch (error) {
    if (error instanceof InvalidModel) return error;
    throw error;
  }
};
