import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { PassLogger } from '../../runtime/reconciler.ts';
import type { PodLogs } from '../../runtime/pod-logs.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import { causeFirst } from './node-pods.ts';
import { lastLines, MOST_CHARACTERS, MOST_LINES } from './trial-failure.ts';
import { containerOf } from './trial-log.ts';

const TAIL_BYTES = 256 * 1024;
const STAMP = /^\d{4}-\d\d-\d\dT\S+Z ?/;

type Means = { readonly logs: PodLogs; readonly log: PassLogger };

/**
 * The last lines of a training: what its pod's status keeps, else the end of its log. A log that
 * cannot be read keeps no trial from ending: there are no lines then.
 */
export const lastWords = async (
  experiment: Experiment,
  seen: { readonly job: Job; readonly pods: readonly Pod[] },
  { logs, log }: Means,
): Promise<string> => {
  const pods = causeFirst(seen.job, seen.pods);
  const container = containerOf(experiment, seen.job);
  const left = lastLines(pods);
  const [pod] = pods;
  if (left !== '' || pod === undefined) return left;
  const { name, namespace = '' } = pod.metadata;
  try {
    const options = { limitBytes: TAIL_BYTES, tailLines: MOST_LINES };
    const text = await logs.readLog(
      { namespace, name },
      container === undefined ? options : { ...options, container },
    );
    const lines = (text ?? '').split('\n').map((line) => line.replace(STAMP, ''));
    return lines.join('\n').trim().slice(-MOST_CHARACTERS);
  } catch (error) {
    log.warn({ err: error, pod: name }, 'the last lines of a training cannot be read');
    return '';
  }
};

/** What an Event's note has room for, in characters: events.k8s.io/v1 takes 1 kB. */
const NOTE = { begin: 350, end: 550 };

/** Both ends of a long text: what failed, and the last lines that say why. */
export const inNote = (text: string): string =>
  text.length <= NOTE.begin + NOTE.end
    ? text
    : `${text.slice(0, NOTE.begin)} … ${text.slice(-NOTE.end)}`;

/** The lines below the message, unless it repeats them already. */
export const withLines = (message: string, lines: string): string =>
  lines === '' || message.includes(lines) ? message : `${message}\n${lines}`;
