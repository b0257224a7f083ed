import { lookup } from 'node:dns/promises';

import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import { LABELS } from '../../../crds/schema/names.ts';
import { AddressRefused, assertPublicAddresses } from '../../artifacts/public-address.ts';
import { JOB, POD } from '../../runtime/kubernetes-types.ts';
import type { Outcome, Pass } from '../../runtime/reconciler.ts';
import { statusCondition, type Job, type Pod } from '../kubernetes-objects.ts';
import { ready, stalled } from '../outcome.ts';
import { isFailure, runtimeReport, troubleOf } from '../pod-report.ts';
import type { ChildDefaults, StoragePorts } from '../ports.ts';
import { inspectionJob } from './children.ts';
import { whileReading, type ForeignLocation, type Step } from './decide.ts';
import { findingOfFailure, type Finding } from './finding.ts';
import { judge } from './judge.ts';
import { aside } from './standing.ts';
import { unstarted } from './unstarted-pod.ts';

const READ_AGAIN_MS = 60_000;

type Reading = Extract<Step, { do: 'read-in-pod' }>;

/** Storage that is not ours is read by a pod in the user's namespace; its last words are the result. */
export const readInPod = async (
  reading: Reading,
  version: ModelVersion,
  pass: Pass,
  { children }: StoragePorts,
): Promise<Outcome> => {
  const address = checkAddress(reading.location, pass, children);
  if (address === 'unknown') return whileReading(version, 'once its address is checked');
  if (address !== undefined) return refused(version, address);
  const job = await pass.ensure<Job>(JOB, inspectionJob(version, reading, children));
  const pods = podsOf(job, pass);
  const finding = findingOf(job, pods);
  if (finding === undefined) {
    const outcome = await unstarted(version, pods[0], pass);
    return outcome ?? whileReading(version, `by Job ${job.metadata.name}`);
  }
  const verdict = judge(version, finding, reading.expected);
  // A Job that found nothing stands in the way of the next try; its end is waited for a while.
  if (finding.found === 'nothing' && ageMs(job, pass.now) > READ_AGAIN_MS) {
    await pass.delete(JOB, job);
  }
  return verdict;
};

const ageMs = (job: Job, now: Date): number =>
  now.getTime() - Date.parse(job.metadata.creationTimestamp ?? now.toISOString());

/**
 * Whether an https host may be read: the reason why not, `unknown` while it is looked up. The pod
 * looks the name up again, so this keeps honest mistakes and probing out; what pods may reach is
 * the NetworkPolicy's to enforce.
 */
const checkAddress = (
  location: ForeignLocation,
  pass: Pass,
  { allowPrivateHosts }: ChildDefaults,
): string | undefined => {
  if (location.scheme !== 'https' || allowPrivateHosts === true) return undefined;
  const host = location.host.replace(/^\[|\]$/g, '');
  if (allowPrivateHosts.includes(host)) return undefined;
  const state = pass.background(`resolve:${host}`, async () => {
    try {
      const found = await lookup(host, { all: true });
      assertPublicAddresses(
        host,
        found.map(({ address }) => address),
      );
      return undefined;
    } catch (error) {
      if (error instanceof AddressRefused) return error.message;
      throw error;
    }
  });
  if (state.state === 'running') return 'unknown';
  if (state.state === 'failed') throw state.error;
  return state.value;
};

const refused = (version: ModelVersion, why: string): Outcome =>
  stalled(ready('False', 'UriNotAllowed', `spec.storageUri is refused: ${why}`), aside(version));

const podsOf = (job: Job, pass: Pass): readonly Pod[] =>
  pass
    .cachedList<Pod>(POD)
    .filter(({ metadata }) => metadata.labels?.[LABELS.deployment] === undefined)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid))
    .toSorted((a, b) =>
      (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1,
    );

/** What a finished Job found; undefined while it runs. */
const findingOf = (job: Job, pods: readonly Pod[]): Finding | undefined => {
  const report = pods.map(runtimeReport).find((each) => each !== undefined);
  if (report !== undefined) {
    if (isFailure(report)) return findingOfFailure(report);
    const { digest, sizeBytes, inputs, outputs } = report;
    return { found: 'bytes', digest, sizeBytes, inputs, outputs };
  }
  const failed = statusCondition(job.status?.conditions, 'Failed');
  const trouble = pods.map(troubleOf).find((each) => each !== undefined);
  if (failed?.status !== 'True') return undefined;
  return {
    found: 'nothing',
    reason: 'ArtifactUnreadable',
    message: `Job ${job.metadata.name} could not read the bytes: ${trouble ?? failed.message ?? 'no reason given'}.`,
  };
};
