import type { QueueSnapshot } from '../runtime/work-queue.ts';

/** So many keys of each sort are named; of the rest, the number. */
const NAMED = 20;

/**
 * What waits, works and fails, by controller, as a page of text: /debug/queues, for a person who
 * asks why nothing happens.
 */
export const queuePage = (queues: Readonly<Record<string, QueueSnapshot>>): string =>
  Object.entries(queues)
    .map(([name, queue]) => section(name, queue))
    .join('\n');

const section = (name: string, queue: QueueSnapshot): string => {
  const { ready, retriesHeldBack, active, delayed, failing } = queue;
  const held = retriesHeldBack === 0 ? '' : ` (${retriesHeldBack} retries)`;
  const lines = [
    `${name}: ${ready} waiting${held}, ${active.length} at work, ${delayed.length} due later, ${failing.length} failing`,
    ...named(
      active.toSorted((left, right) => right.forMs - left.forMs),
      ({ key, forMs }) => `  at work  ${key}  for ${seconds(forMs)}`,
    ),
    ...named(
      failing.toSorted((left, right) => right.attempts - left.attempts),
      ({ key, attempts, error }) => `  failing  ${key}  ${attempts} times in a row: ${error}`,
    ),
    ...named(
      delayed.toSorted((left, right) => left.inMs - right.inMs),
      ({ key, inMs }) => `  due      ${key}  in ${seconds(inMs)}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
};

const named = <T>(all: readonly T[], line: (each: T) => string): readonly string[] => [
  ...all.slice(0, NAMED).map(line),
  ...(all.length > NAMED ? [`  … and ${all.length - NAMED} more`] : []),
];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
