import type { Reason } from '../../../crds/schema/conditions.ts';
import type { Experiment } from '../../../crds/schema/experiment.ts';
import { SERVICE } from '../../runtime/kubernetes-types.ts';
import type { Outcome, Pass } from '../../runtime/reconciler.ts';
import { refusalOf } from '../refusal.ts';
import { nodesOf, nodesService } from './nodes.ts';

/**
 * Sees to it that the nodes of trials can find one another, where they have several.
 * @returns why they cannot
 */
export const meetingPlace = async (
  experiment: Experiment,
  pass: Pass,
): Promise<{ readonly reason: Reason; readonly message: string } | undefined> => {
  if (nodesOf(experiment) === 1) return undefined;
  const wanted = nodesService(experiment);
  try {
    await pass.apply(SERVICE, wanted);
    return undefined;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const message = `Service ${wanted.metadata.name}, by which the nodes of a trial find one another, cannot be created: ${refusal.words}`;
    return { reason: refusal.reason, message };
  }
};

/** An Experiment that has ended needs it no more. */
export const withoutMeetingPlace = async (outcome: Outcome, pass: Pass): Promise<Outcome> => {
  const ended = outcome.conditions.some(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  if (!ended) return outcome;
  for (const service of pass.owned(SERVICE)) {
    if (service.metadata.deletionTimestamp === undefined) await pass.delete(SERVICE, service);
  }
  return outcome;
};
