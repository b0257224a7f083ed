import { parentPort, workerData } from 'node:worker_threads';
import { simulateTest, type SimulationPlan } from './simulate-test.ts';

/** Every `workers`-th of the tests, from `index` on. */
export type Share = {
  readonly plan: SimulationPlan;
  readonly seed: number;
  readonly tests: number;
  readonly workers: number;
  readonly index: number;
};

const { plan, seed, tests, workers, index } = workerData as Share;
for (let test = index; test < tests; test += workers) {
  parentPort?.postMessage(simulateTest(plan, seed, test));
}
