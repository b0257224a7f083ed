import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { CORE_EVENT } from '../../runtime/kubernetes-types.ts';
import type { Outcome, Pass } from '../../runtime/reconciler.ts';
import type { ClusterEvent, Pod } from '../kubernetes-objects.ts';
import { condition, ready, working } from '../outcome.ts';
import { troubleOf } from '../pod-report.ts';
import { whileReading } from './decide.ts';
import { aside } from './standing.ts';

/** A pod that is younger than that may just not have got its volumes yet. */
const PATIENCE_MS = 5_000;
const LOOK_AGAIN_MS = 10_000;

/**
 * How a version stands while the newest pod of its inspection has not started, which may take a user
 * to mend; undefined once it has. That a volume cannot be mounted, such as a Secret that is not there,
 * only Events say: the operator itself reads no Secret.
 */
export const unstarted = async (
  version: ModelVersion,
  pod: Pod | undefined,
  pass: Pass,
): Promise<Outcome | undefined> => {
  if (pod?.status?.phase !== 'Pending') return undefined;
  const age = pass.now.getTime() - Date.parse(pod.metadata.creationTimestamp ?? '');
  const words = troubleOf(pod) ?? (age > PATIENCE_MS ? await mountTrouble(pod, pass) : undefined);
  const { secretRef } = version.spec;
  if (secretRef !== undefined && words?.includes(`secret "${secretRef.name}" not found`) === true) {
    return withoutSecret(version, secretRef.name);
  }
  const why = words === undefined ? '' : `, which does not start: ${words}`;
  const outcome = whileReading(version, `by pod ${pod.metadata.name}${why}`);
  return { ...outcome, requeueAfterMs: LOOK_AGAIN_MS };
};

const withoutSecret = (version: ModelVersion, name: string): Outcome => {
  const message = `There is no Secret ${name} in namespace ${version.metadata.namespace}, which spec.secretRef names; create it, and the bytes are read by themselves.`;
  return working(ready('False', 'SecretNotFound', message), {
    ...aside(version),
    conditions: [condition('ArtifactVerified', 'Unknown', 'SecretNotFound', message)],
    requeueAfterMs: LOOK_AGAIN_MS,
  });
};

const mountTrouble = async ({ metadata }: Pod, pass: Pass): Promise<string | undefined> => {
  const page = await pass.live.list<ClusterEvent>(CORE_EVENT, {
    namespace: metadata.namespace ?? '',
    fieldSelector: `involvedObject.uid=${metadata.uid ?? ''},reason=FailedMount`,
    limit: 100,
  });
  return page.items.toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))[0]?.message;
};

const timeOf = ({ lastTimestamp, eventTime, metadata }: ClusterEvent): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
