import type { Labels } from '../kubernetes-objects.ts';

/** https://kueue.sigs.k8s.io/docs/reference/labels-and-annotations/ */
export const QUEUE_NAME = 'kueue.x-k8s.io/queue-name';
const PASSED_ON = [QUEUE_NAME, 'kueue.x-k8s.io/priority-class'];

/** Of the labels of an Experiment those that say which queue its Jobs go through. */
export const queueLabels = (labels: Labels | undefined): Labels =>
  Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => PASSED_ON.includes(name)));
