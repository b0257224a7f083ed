import { createHash } from 'node:crypto';
import { LABELS } from '../../crds/schema/names.ts';
import type { ArtifactStore } from '../../operator/artifacts/artifact-store.ts';
import { runArtifactKey, runPrefix } from '../../operator/artifacts/locations.ts';
import {
  message,
  onnxModel,
  tensorType,
  valueInfo,
} from '../../operator/artifacts/testing/protobuf.ts';
import {
  artifactTagKey,
  artifactTagValue,
} from '../../operator/kinds/experiment/artifact-record.ts';
import type { RunStore } from '../../operator/kinds/experiment/run-store.ts';
import type { Pod } from '../../operator/kinds/kubernetes-objects.ts';
import { renderTerminationMessage } from '../../serving-runtime/protocol/termination-message.ts';
import type { PodEnd, Programs } from './actors/kubelet.ts';
import type { SimulationClock } from './simulation-clock.ts';
import { NAMESPACE_NAME } from './types.ts';

/** What the training of an Experiment does, by the Experiment's name. */
export type Training = {
  readonly takesMs: number;
  readonly accuracy?: number;
  /** Logged as model.onnx; left out, nothing is uploaded. */
  readonly model?: Buffer;
  /** So many pods are evicted before one comes to its end. */
  readonly evictions?: number;
  readonly fails?: boolean;
};

/** What is in the images of a scenario. */
export type Images = {
  readonly trainings: Readonly<Record<string, Training>>;
  /** Names of ModelVersions that no serving pod can load. */
  readonly unservable: readonly string[];
};

/** A small ONNX file that differs from those of other names. */
export const modelBytes = (name: string): Buffer =>
  onnxModel(
    message(2, name),
    valueInfo(11, 'x', tensorType(1, [null, 4])),
    valueInfo(12, 'y', tensorType(1, [null, 3])),
  );

export const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

type Ports = {
  readonly clock: SimulationClock;
  readonly runs: RunStore;
  readonly artifacts: ArtifactStore;
  /** Whether the pod is still to run. */
  readonly lives: (pod: Pod) => boolean;
};

export const programsOf = ({ trainings, unservable }: Images, ports: Ports): Programs => ({
  train: async (pod) => {
    const training = trainings[pod.metadata.labels?.[LABELS.experiment] ?? ''];
    if (training === undefined) return { phase: 'Failed', message: 'no such image' };
    await new Promise<void>((resolve) => ports.clock.setTimeout(resolve, training.takesMs));
    if (!ports.lives(pod)) return { phase: 'Failed', message: 'killed' };
    const attempt = Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf('-') + 1));
    if (attempt < (training.evictions ?? 0)) return { phase: 'Failed', message: 'evicted' };
    await log(training, pod.metadata.labels?.[LABELS.runId] ?? '', ports);
    return training.fails === true
      ? { phase: 'Failed', message: 'ValueError: no data' }
      : { phase: 'Succeeded' };
  },
  inspect: async (pod): Promise<PodEnd> => {
    const bytes = modelBytes(pod.metadata.labels?.[LABELS.modelVersion] ?? '');
    const found = { digest: digestOf(bytes), sizeBytes: bytes.length, inputs: [], outputs: [] };
    return { phase: 'Succeeded', message: renderTerminationMessage(found) };
  },
  trouble: (pod) =>
    unservable.includes(pod.metadata.labels?.[LABELS.modelVersion] ?? '')
      ? renderTerminationMessage({ reason: 'InvalidModel', message: 'an operator is unknown' })
      : undefined,
});

const log = async (
  { accuracy, model }: Training,
  runId: string,
  { runs, artifacts }: Ports,
): Promise<void> => {
  const metrics =
    accuracy === undefined ? [] : [{ key: 'accuracy', value: accuracy, timestamp: 0, step: 0 }];
  await runs.logBatch(runId, { metrics });
  if (model === undefined) return;
  const path = 'model.onnx';
  const key = runArtifactKey(NAMESPACE_NAME, runId, path);
  const { digest, sizeBytes } = await artifacts.put(key, once(model), { maxBytes: 1e6 });
  const relative = key.slice(runPrefix(NAMESPACE_NAME, runId).length);
  const tag = artifactTagValue({ path: relative, digest, sizeBytes });
  await runs.logBatch(runId, { tags: { [artifactTagKey(relative)]: tag } });
};

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes;
}
