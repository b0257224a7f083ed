import { beforeEach, describe, expect, test } from '@jest/globals';
import { ApiError } from './cluster.ts';
import { listPages } from './list-pages.ts';
import { WIDGET, widget } from './testing/objects.ts';
import { ScriptedCluster } from './testing/scripted-cluster.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const BY = { fieldManager: 'test' };

let cluster: ScriptedCluster;
let seen: string[];

const listed = () =>
  listPages(
    { cluster, type: WIDGET },
    { limit: 2 },
    ({ metadata }) => void seen.push(metadata.name),
  );

/** The next so many continuations have expired, and each time something has changed meanwhile. */
const expireContinuations = (times: number): void => {
  const list = cluster.list.bind(cluster);
  let left = times;
  cluster.list = async (type, options) => {
    if (options?.continueToken !== undefined && left > 0) {
      left -= 1;
      cluster.compact();
      await cluster.delete(WIDGET, { namespace: 'team', name: 'a' });
    }
    return list(type, options);
  };
};

beforeEach(async () => {
  cluster = new ScriptedCluster(new VirtualClock());
  seen = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) await cluster.create(WIDGET, widget(name), BY);
});

describe('a list in pages', () => {
  test('hands on each object and tells which there were', async () => {
    const { found, version } = await listed();
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect([...found]).toEqual(['team/a', 'team/b', 'team/c', 'team/d', 'team/e']);
    expect(version).toBe('5');
  });

  test('begins anew at once when its continuation has expired, and counts the second time', async () => {
    expireContinuations(1);
    const { found, version } = await listed();
    expect(seen).toEqual(['a', 'b', 'b', 'c', 'd', 'e']);
    expect([...found]).toEqual(['team/b', 'team/c', 'team/d', 'team/e']);
    expect(version).toBe('6');
    expect(cluster.lists).toHaveLength(4);
  });

  test('does so once only', async () => {
    expireContinuations(2);
    await expect(listed()).rejects.toMatchObject({ code: 410 });
  });

  test('fails on any other error, wherever it comes', async () => {
    cluster.listErrors.push(new ApiError(410, 'Expired', 'too old'));
    await expect(listed()).rejects.toMatchObject({ code: 410 });
    cluster.listErrors.push(new ApiError(500, 'InternalError', 'etcd is down'));
    await expect(listed()).rejects.toMatchObject({ code: 500 });
  });
});
