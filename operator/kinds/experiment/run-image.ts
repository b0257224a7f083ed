import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import type { Run, RunStore } from './run-store.ts';
import { containerOf } from './trial-log.ts';

/** What container runtimes put before the name: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
const SCHEME = /^[a-z-]+:\/\//;
const WITH_DIGEST = /^([^\s@]+@)?sha256:[0-9a-f]{64}$/;
const LONGEST = 1024;

/**
 * The image the primary container ran, as the kubelet resolved it: `<name>@sha256:<hex>`, or
 * `sha256:<hex>` of one that was loaded onto the node. A tag alone says nothing: it can move.
 */
export const imageOf = (
  experiment: Experiment,
  { job, pods }: { readonly job: Job; readonly pods: readonly Pod[] },
): string | undefined => {
  const name = containerOf(experiment, job);
  return pods
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .filter((each) => each.name === name)
    .map(({ imageID = '' }) => imageID.replace(SCHEME, ''))
    .find((image) => image.length <= LONGEST && WITH_DIGEST.test(image));
};

/** Keeps it with the run, as the pod goes; once for each image. */
export const noteImage = async (
  experiment: Experiment,
  run: Pick<Run, 'runId' | 'image'>,
  seen: { readonly job: Job; readonly pods: readonly Pod[] },
  runs: Pick<RunStore, 'setImage'>,
): Promise<void> => {
  const image = imageOf(experiment, seen);
  if (image !== undefined && image !== run.image) await runs.setImage(run.runId, image);
};
