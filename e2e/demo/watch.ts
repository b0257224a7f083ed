import { setTimeout as sleep } from 'node:timers/promises';

import { CommandError } from '../cluster/command.ts';
import type { Progress } from '../cluster/progress.ts';
import { DemoError, type Target } from './target.ts';

export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
};

export type Watched<T extends object> = {
  /** As kubectl takes it: `experiment.mlops.pynomaly.io/digits-train`. */
  readonly object: string;
  readonly namespace: string;
  readonly timeoutSeconds: number;
  readonly progress: Pick<Progress, 'note'>;
  /** What the object says; throws when waiting is of no use any more. */
  readonly judge: (object: T) => { readonly done: boolean; readonly state: string };
};

const PAUSE_MS = 1000;

/** Looks at an object every second and says so whenever its state reads differently. */
export async function watchUntil<T extends object>(
  target: Target,
  watched: Watched<T>,
): Promise<T> {
  const { object, namespace, timeoutSeconds, progress, judge } = watched;
  const deadline = Date.now() + timeoutSeconds * 1000;
  let said = '';
  while (Date.now() < deadline) {
    const found = await look<T>(target, object, namespace);
    const { done, state } =
      typeof found === 'string' ? { done: false, state: found } : judge(found);
    if (state !== said) progress.note(`  ${nameOf(object)}: ${state}`);
    said = state;
    if (done && typeof found !== 'string') return found;
    await sleep(PAUSE_MS);
  }
  throw new DemoError(
    `${object} in ${namespace} was not ready after ${timeoutSeconds} s; it says: ${said}`,
  );
}

/** The object, or why there is none: an API server that is away for a moment is waited for too. */
async function look<T extends object>(
  target: Target,
  object: string,
  namespace: string,
): Promise<T | string> {
  try {
    const args = ['get', object, '-n', namespace, '-o', 'json', '--ignore-not-found'];
    const text = await target.kubectl(args);
    return text === '' ? 'not there yet' : (JSON.parse(text) as T);
  } catch (error) {
    if (error instanceof CommandError) return error.message.split('\n').slice(0, 2).join(' ');
    throw error;
  }
}

/** `experiment digits-train` */
const nameOf = (object: string): string => object.replace(/\.[^/]*/, '').replace('/', ' ');

export type WithConditions = {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
};

export const condition = (object: WithConditions, type: string): Condition | undefined =>
  object.status?.conditions?.find((each) => each.type === type);

/** Done when `Ready` is True for the spec as it is now; stops when only a change of it would help. */
export const ready = (object: WithConditions): { done: boolean; state: string } => {
  const { status = {}, metadata } = object;
  const current = status.observedGeneration === metadata.generation;
  const is = condition(object, 'Ready');
  const stalled = condition(object, 'Stalled');
  if (current && stalled?.status === 'True') {
    throw new DemoError(`${metadata.name} is stalled (${stalled.reason}): ${stalled.message}`);
  }
  return {
    done: current && is?.status === 'True',
    state: is === undefined ? 'no status yet' : `${is.reason}: ${is.message ?? ''}`,
  };
};
