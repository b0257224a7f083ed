import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { memoryArtifactStore } from './memory-artifact-store.ts';
import { describeArtifactStore } from './testing/artifact-store-contract.ts';

describeArtifactStore('the store in memory', memoryArtifactStore);

test('bytes can be tampered with', async () => {
  const store = memoryArtifactStore();
  const body = (async function* () {
    yield Buffer.from('good');
  })();
  await store.put('key', body, { maxBytes: 10 });
  store.tamper('key', Buffer.from('evil'));
  expect((await buffer((await store.read('key')).stream)).toString()).toBe('evil');
  expect(await store.presign('key', 60)).toBe('memory://key?expires=60');
});
