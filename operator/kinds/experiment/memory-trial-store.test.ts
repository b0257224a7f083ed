import { MemoryRunStore } from './memory-run-store.ts';
import { MemoryTrialStore } from './memory-trial-store.ts';
import { describeTrialStore } from './testing/trial-store-contract.ts';

describeTrialStore('the store in memory', async () => {
  const runs = new MemoryRunStore();
  return { runs, trials: new MemoryTrialStore(runs) };
});
