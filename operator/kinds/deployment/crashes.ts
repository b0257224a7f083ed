import type { Pod } from '../kubernetes-objects.ts';
import { runtimeReport, isFailure, troubleOf } from '../pod-report.ts';
import type { Failure } from './canary.ts';

/** Once may be bad luck, twice a coincidence. */
const MOST_RESTARTS = 2;

/** Pods that keep crashing, however ready they are in between; undefined: none does. */
export const crashesOf = (pods: readonly Pod[]): Failure | undefined => {
  for (const pod of pods) {
    const containers = pod.status?.containerStatuses ?? [];
    const restarts = Math.max(0, ...containers.map(({ restartCount = 0 }) => restartCount));
    if (restarts <= MOST_RESTARTS) continue;
    const report = runtimeReport(pod);
    const words = isFailure(report) ? `${report.reason}: ${report.message}` : troubleOf(pod);
    return {
      reason: 'Crashing',
      message: `pod ${pod.metadata.name} was started ${restarts} times again (${words ?? 'no reason given'})`,
    };
  }
  return undefined;
};
