import { describe, expect, test } from '@jest/globals';

import {
  holdsResources,
  parseCgroups,
  parseEnvironment,
  parseParent,
  parseState,
  type RunningProcess,
  withDescendants,
} from './process-table.ts';

function aProcess(pid: number, parent: number): RunningProcess {
  return { pid, parent, commandLine: '', environment: {}, cgroups: [] };
}

describe('reading /proc', () => {
  test('finds parent and state behind a name with spaces and brackets', () => {
    const stat = '42 (a (strange) name) S 7 42 42 0 -1';
    expect([parseParent(stat), parseState(stat)]).toEqual([7, 'S']);
  });

  test('keeps equal signs inside the values of an environment', () => {
    expect(parseEnvironment('A=1\0B=x=y\0')).toEqual({ A: '1', B: 'x=y' });
  });

  test('takes the path of every cgroup line, also when it holds colons', () => {
    expect(parseCgroups('4:memory:/kubepods/a\n0::/b:c\n')).toEqual(['/kubepods/a', '/b:c']);
  });
});

test('finds all descendants, in whatever order the table lists them', () => {
  const table = [aProcess(30, 20), aProcess(20, 10), aProcess(10, 1), aProcess(99, 1)];
  const found = withDescendants(table, ({ pid }) => pid === 10).map(({ pid }) => pid);
  expect(found).toEqual([30, 20, 10]);
});

test('a process that runs holds its resources, one that is not there holds none', () => {
  expect([holdsResources(process.pid), holdsResources(0)]).toEqual([true, false]);
});
