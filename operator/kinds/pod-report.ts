import {
  parseTerminationMessage,
  type FailureMessage,
  type InspectionMessage,
} from '../../serving-runtime/protocol/termination-message.ts';
import type { ContainerState, ContainerStatus, Pod } from './kubernetes-objects.ts';
import { statusCondition } from './kubernetes-objects.ts';

export const isFailure = (
  message: FailureMessage | InspectionMessage | undefined,
): message is FailureMessage => message !== undefined && 'reason' in message;

const containersOf = (pod: Pod): readonly ContainerStatus[] => [
  ...(pod.status?.initContainerStatuses ?? []),
  ...(pod.status?.containerStatuses ?? []),
];

/** What the runtime in this pod left behind when it last ended; undefined when it never did. */
export const runtimeReport = (pod: Pod): FailureMessage | InspectionMessage | undefined => {
  for (const { state, lastState } of containersOf(pod)) {
    const report = reportOf(state) ?? reportOf(lastState);
    if (report !== undefined) return report;
  }
  return undefined;
};

const reportOf = (state: ContainerState | undefined) =>
  state?.terminated?.message === undefined
    ? undefined
    : parseTerminationMessage(state.terminated.message);

/** Why a pod ended badly or does not get on, in one sentence; undefined when nothing is wrong. */
export const troubleOf = (pod: Pod): string | undefined =>
  containersOf(pod)
    .map(containerTrouble)
    .find((trouble) => trouble !== undefined) ?? podTrouble(pod);

const containerTrouble = ({ name, state, lastState }: ContainerStatus): string | undefined => {
  const ended = state?.terminated ?? lastState?.terminated;
  if (ended !== undefined && ended.exitCode !== 0) {
    return `container ${name} ended with ${ended.reason ?? 'Error'}, exit code ${ended.exitCode}${lastLine(ended.message)}`;
  }
  const waiting = state?.waiting;
  if (waiting?.reason === undefined || waiting.reason === 'ContainerCreating') return undefined;
  if (waiting.reason === 'PodInitializing') return undefined;
  return `container ${name} waits: ${waiting.reason}${lastLine(waiting.message)}`;
};

const podTrouble = (pod: Pod): string | undefined => {
  const scheduled = statusCondition(pod.status?.conditions, 'PodScheduled');
  if (scheduled?.status === 'False') {
    return `pod ${pod.metadata.name} cannot be scheduled: ${scheduled.message ?? scheduled.reason ?? ''}`;
  }
  if (pod.status?.phase !== 'Failed') return undefined;
  return `pod ${pod.metadata.name} failed: ${pod.status.message ?? pod.status.reason ?? 'no reason given'}`;
};

/** The last line that says something; logs end with what went wrong. */
const lastLine = (text: string | undefined): string => {
  const line = (text ?? '')
    .split('\n')
    .map((each) => each.trim())
    .findLast((each) => each !== '');
  return line === undefined ? '' : `: ${line.slice(0, 500)}`;
};
