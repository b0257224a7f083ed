import { MemoryMirrorRows } from './memory-mirror-rows.ts';
import { memoryResourceSearch } from './memory-resource-search.ts';
import { describeMirrorTables } from './testing/mirror-contract.ts';

describeMirrorTables('memory', async () => {
  const rows = new MemoryMirrorRows();
  return { rows, search: memoryResourceSearch(rows) };
});
