import type { Goal } from '../operator/goals.ts';
import type { SearchResult } from './measure.ts';

const MOST_TIMES_BY_HAND = 3;
const MOST_WRITES_PER_SECOND = 1.2;
const MOST_OBJECT_BYTES = 64 * 1024;

/** What a search promises, and whether it held. */
export const goalsOf = ({ algorithm, trials, ours, byHand }: SearchResult): readonly Goal[] => {
  const of = `${algorithm} ${trials}`;
  const times = ours.seconds / byHand.seconds;
  const writes = ours.statusWrites / ours.seconds;
  return [
    {
      text: `${of}: Jobs created are the trials asked`,
      measured: String(ours.jobs),
      met: ours.jobs === trials,
    },
    {
      text: `${of}: at most ${MOST_TIMES_BY_HAND} × the time by hand`,
      measured: `${times.toFixed(2)} ×`,
      met: times <= MOST_TIMES_BY_HAND,
    },
    {
      text: `${of}: status writes per second at most ${MOST_WRITES_PER_SECOND}`,
      measured: writes.toFixed(2),
      met: writes <= MOST_WRITES_PER_SECOND,
    },
    {
      text: `${of}: the Experiment under 64 KiB`,
      measured: `${ours.objectBytes} bytes`,
      met: ours.objectBytes < MOST_OBJECT_BYTES,
    },
  ];
};
