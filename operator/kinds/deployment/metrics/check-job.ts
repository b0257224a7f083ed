/** The Job behind a metric of source `job`. Pure. */
import type { Deployment } from '../../../../crds/schema/deployment.ts';
import { LABELS } from '../../../../crds/schema/names.ts';
import type { Container, Job, Labels, PodTemplate } from '../../kubernetes-objects.ts';
import { childName, shortHash } from '../../names-of-children.ts';
import { restrictedPod, type PodDefaults } from '../../restricted-pod.ts';
import type { Metric } from './verdict.ts';
import type { CanaryMemory } from '../memory.ts';
import { fillAll, type Placeholders } from './placeholders.ts';

type JobSpec = { readonly template?: Partial<PodTemplate>; readonly [field: string]: unknown };

const LONGEST_SECONDS = 3600;
const RESERVED = 'mlops.pynomaly.io/';

/** The same for the same run of the same metric at the same share, so that no run happens twice. */
export const nameOfCheck = (
  { metadata }: Deployment,
  metric: string,
  { attempt, judgedFrom }: CanaryMemory,
  run: number,
): string =>
  childName(metadata.name, `check-${shortHash(`${attempt} ${judgedFrom} ${metric}`)}-${run}`);

export type Check = {
  readonly metric: Metric;
  readonly name: string;
  /** Of the rollout it belongs to. */
  readonly attempt: string;
};

/**
 * The user's Job with its placeholders filled in. Its pods carry no label of the Deployment's own
 * pods, or its Services would send them requests. Throws Unfillable.
 */
export const checkJob = (
  deployment: Deployment,
  { metric, name, attempt }: Check,
  placeholders: Placeholders,
  defaults: PodDefaults,
): Job => {
  const filled = fillAll(metric.job?.spec ?? {}, placeholders) as JobSpec;
  const { ttlSecondsAfterFinished: _theirs, template = {}, ...rest } = filled;
  const labels = {
    [LABELS.checkOf]: deployment.metadata.name,
    [LABELS.checkedMetric]: metric.name,
    [LABELS.attempt]: attempt,
  };
  const pod = template.spec ?? { containers: [] };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: deployment.metadata.namespace, labels },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: LONGEST_SECONDS,
      ...rest,
      template: {
        metadata: {
          ...template.metadata,
          labels: { ...withoutReserved(template.metadata?.labels), ...labels },
        },
        spec: restrictedPod(
          {
            restartPolicy: 'Never',
            automountServiceAccountToken: false,
            ...pod,
            containers: listed(pod.containers).map(withLastWords),
          },
          defaults,
        ),
      },
    },
  };
};

/** What is no list is refused by the API server, in its own words. */
const listed = (containers: unknown): readonly Container[] =>
  Array.isArray(containers) ? (containers as readonly Container[]) : [];

const withoutReserved = (labels: Labels | undefined): Labels =>
  Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => !name.startsWith(RESERVED)));

/** The end of the log becomes part of the pod's status, where a failure is explained from. */
const withLastWords = (container: Container): Container => ({
  terminationMessagePolicy: 'FallbackToLogsOnError',
  ...container,
});
