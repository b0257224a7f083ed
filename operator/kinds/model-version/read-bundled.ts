import { folderManifest } from '../../../serving-runtime/protocol/folder-manifest.ts';
import { ArtifactError } from '../../artifacts/artifact-errors.ts';
import type { ArtifactStat, ArtifactStore } from '../../artifacts/artifact-store.ts';
import { digestOf, inspectModel } from '../../artifacts/inspect.ts';
import { InvalidModel } from '../../artifacts/invalid-model.ts';
import type { OnnxSignature } from '../../artifacts/onnx-signature.ts';
import { createHash } from 'node:crypto';

import type { BundledLocation } from './decide.ts';
import type { Finding } from './finding.ts';

export type ReadRequest = {
  readonly location: BundledLocation;
  readonly uri: string;
  readonly format: 'onnx' | 'mlflow' | 'other';
  readonly expected: string | undefined;
  readonly maxBytes: number;
};

/** Reading found nothing to judge, and should be tried again. */
export class ReadLater extends Error {
  override readonly name = 'ReadLater';
  readonly code = 'ReadLater';
  readonly finding: Extract<Finding, { found: 'nothing' }>;
  constructor(finding: Extract<Finding, { found: 'nothing' }>, cause?: unknown) {
    super(finding.message, { cause });
    this.finding = finding;
  }
}

/**
 * Streams a version's bytes from the bundled store once, for digest, size and signature. Throws
 * `ReadLater` where a later reading may find more.
 */
export const readBundled = async (
  store: ArtifactStore,
  request: ReadRequest,
  signal: AbortSignal,
): Promise<Finding> => {
  try {
    return request.location.folder
      ? await readFolder(store, request, signal)
      : await readFile(store, request, signal);
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error;
    throw new ReadLater(
      error.code === 'ArtifactNotFound'
        ? nothingThere(request)
        : { found: 'nothing', reason: 'StoreUnavailable', message: error.message },
      error,
    );
  }
};

const nothingThere = ({ uri }: ReadRequest): Extract<Finding, { found: 'nothing' }> => ({
  found: 'nothing',
  reason: 'ArtifactNotFound',
  message: `There is nothing at ${uri}; upload the file there, or register the version with the right storageUri.`,
});

const readFile = async (
  store: ArtifactStore,
  request: ReadRequest,
  signal: AbortSignal,
): Promise<Finding> => {
  const { key } = request.location;
  const stat = await store.stat(key);
  if (stat === undefined) throw new ReadLater(nothingThere(request));
  if (stat.sizeBytes > request.maxBytes) return tooLarge(request, stat.sizeBytes);
  const read = await readOne(store, key, request.format === 'onnx', signal);
  return findingOf(request, read.digest, read.sizeBytes, read.model);
};

type ReadFile = {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly model?: OnnxSignature | InvalidModel;
};

const readOne = async (
  store: ArtifactStore,
  key: string,
  asModel: boolean,
  signal: AbortSignal,
): Promise<ReadFile> => {
  const { stream } = await store.read(key, { signal });
  return asModel ? await inspectModel(stream) : await digestOf(stream);
};

const readFolder = async (
  store: ArtifactStore,
  request: ReadRequest,
  signal: AbortSignal,
): Promise<Finding> => {
  const files: ArtifactStat[] = [];
  for await (const file of store.list(request.location.key)) files.push(file);
  if (files.length === 0) throw new ReadLater(nothingThere(request));
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total > request.maxBytes) return tooLarge(request, total);
  const main = request.format === 'onnx' ? mainFileOf(files) : undefined;
  const entries: { path: string; sha256: string }[] = [];
  let model: OnnxSignature | InvalidModel | undefined =
    request.format === 'onnx' && main === undefined ? noMainFile(request) : undefined;
  for (const { key } of files) {
    const read = await readOne(store, key, key === main, signal);
    if (key === main) model = read.model;
    entries.push({
      path: key.slice(request.location.key.length),
      sha256: read.digest.slice('sha256:'.length),
    });
  }
  const digest = createHash('sha256').update(folderManifest(entries)).digest('hex');
  return findingOf(request, `sha256:${digest}`, total, model);
};

/** `model.onnx`, or the only file with that ending. */
const mainFileOf = (files: readonly ArtifactStat[]): string | undefined => {
  const models = files.map(({ key }) => key).filter((key) => key.endsWith('.onnx'));
  return (
    models.find((key) => key.endsWith('/model.onnx')) ??
    (models.length === 1 ? models[0] : undefined)
  );
};

const noMainFile = ({ uri }: ReadRequest): InvalidModel =>
  new InvalidModel(
    'NotOnnx',
    `The folder ${uri} holds no model.onnx and not exactly one other .onnx file, so it is not clear which is the model.`,
  );

/** Whether these are the right bytes comes before what they are: a flipped byte may break the model too. */
const findingOf = (
  { expected }: ReadRequest,
  digest: string,
  sizeBytes: number,
  model: OnnxSignature | InvalidModel | undefined,
): Finding => {
  if (expected !== undefined && expected !== digest) {
    return { found: 'other-bytes', expected, actual: digest };
  }
  if (model instanceof InvalidModel) {
    return { found: 'unfit', reason: 'InvalidModel', message: model.message };
  }
  const signature = model === undefined ? {} : { inputs: model.inputs, outputs: model.outputs };
  return { found: 'bytes', digest, sizeBytes, ...signature };
};

const tooLarge = ({ uri, maxBytes }: ReadRequest, sizeBytes: number): Finding => ({
  found: 'unfit',
  reason: 'TooLarge',
  message: `${uri} has ${sizeBytes} bytes, and this installation allows ${maxBytes}; make the model smaller, or ask the administrator to raise the limit.`,
});
