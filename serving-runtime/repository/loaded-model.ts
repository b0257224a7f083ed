import type { ModelMetadata } from '../protocol/messages.ts';
import type { ModelMetrics } from '../telemetry/model-metrics.ts';
import type { CatalogEntry } from './catalog.ts';
import type { SharedModel } from './shared-model.ts';

/** A version with its bytes verified, loaded and warm. */
export type LoadedModel = {
  readonly entry: CatalogEntry;
  readonly sizeBytes: number;
  readonly model: SharedModel;
  readonly metrics: ModelMetrics;
  /** What an ensemble consists of. */
  readonly members: readonly LoadedModel[];
};

/** `versions`: all of this name that are served, the default first. */
export function describeModel(
  { entry, sizeBytes, model: { signature } }: LoadedModel,
  versions: readonly string[],
): ModelMetadata {
  return {
    name: entry.model,
    versions,
    platform: entry.content.kind === 'ensemble' ? 'ensemble' : 'onnx_onnxv1',
    inputs: signature.inputs,
    outputs: signature.outputs,
    parameters: { digest: entry.digest, size_bytes: sizeBytes },
  };
}
