import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Ends, SimulationPlan } from './simulate-test.ts';
import type { Share } from './worker.ts';

type Many = Pick<Share, 'seed' | 'tests' | 'workers'>;

/** Each test follows from the seed and its number, so that it does not matter which worker has it. */
export const simulateMany = async (plan: SimulationPlan, many: Many): Promise<readonly Ends[]> => {
  const ends: Ends[] = [];
  await Promise.all(
    Array.from({ length: many.workers }, (_worker, index) =>
      share({ plan, ...many, index }, (end) => ends.push(end)),
    ),
  );
  return ends;
};

const share = (part: Share, take: (ends: Ends) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, 'worker.ts'), { workerData: part });
    worker.on('message', (message) => take(message as Ends));
    worker.once('error', reject);
    worker.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`worker ${part.index} ended with ${code}`)),
    );
  });
