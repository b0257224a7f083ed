import { MemoryRunStore } from './memory-run-store.ts';
import { describeRunStore } from './testing/run-store-contract.ts';

describeRunStore('the store in memory', async () => new MemoryRunStore());
