import { describe, expect, test } from '@jest/globals';
import { CONFIG_MAP } from './kubernetes-types.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { clusterContract } from './testing/cluster-contract.ts';
import { configMap, WIDGET, widget } from './testing/objects.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const BY = { fieldManager: 'test' };

clusterContract('the memory cluster', async () => ({
  cluster: new MemoryCluster(new VirtualClock()),
  namespace: 'team',
}));

describe('the memory cluster', () => {
  test('collects what a vanished object owned', async () => {
    const cluster = new MemoryCluster(new VirtualClock());
    const { metadata } = await cluster.create(WIDGET, widget('w'), BY);
    const owner = {
      apiVersion: 'example.io/v1',
      kind: 'Widget',
      name: 'w',
      uid: metadata.uid ?? '',
    };
    const child = configMap('child');
    await cluster.create(
      CONFIG_MAP,
      { ...child, metadata: { ...child.metadata, ownerReferences: [owner] } },
      BY,
    );
    await cluster.delete(WIDGET, { namespace: 'team', name: 'w' });
    expect((await cluster.list(CONFIG_MAP)).items).toEqual([]);
  });

  test('counts generations by spec alone, and writes a status only to what is there', async () => {
    const cluster = new MemoryCluster(new VirtualClock());
    const status = { ...widget('w'), status: { phase: 'x' } };
    const toStatus = { ...BY, subresource: 'status' } as const;
    await expect(cluster.apply(WIDGET, status, toStatus)).rejects.toThrow('not found');
    await cluster.create(WIDGET, widget('w', {}, { a: 1 }), BY);
    const written = await cluster.apply(WIDGET, { ...status, spec: { a: 2 } } as never, toStatus);
    expect(written).toMatchObject({
      spec: { a: 1 },
      status: { phase: 'x' },
      metadata: { generation: 1 },
    });
    const changed = await cluster.apply(WIDGET, widget('w', {}, { a: 2 }), BY);
    expect(changed.metadata.generation).toBe(2);
  });

  test('refuses versions and pages from before a compaction', async () => {
    const cluster = new MemoryCluster(new VirtualClock());
    for (const name of ['a', 'b']) await cluster.create(WIDGET, widget(name), BY);
    const { continueToken = '' } = await cluster.list(WIDGET, { limit: 1 });
    cluster.compact();
    await expect(cluster.list(WIDGET, { continueToken })).rejects.toMatchObject({ code: 410 });
    const stream = cluster.watch(WIDGET, {
      resourceVersion: '1',
      timeoutSeconds: 1,
      signal: new AbortController().signal,
    });
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 410 });
  });
});
