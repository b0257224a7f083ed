import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { createProgress, elapsed, slowestSteps } from './progress.ts';

let folder = '';
let timingsFile = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'progress-'));
  timingsFile = join(folder, 'timings.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('progress', () => {
  test('says when a step begins, and how long it took if that was long', async () => {
    let clock = 0;
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    const progress = createProgress({ timingsFile, now: () => clock, write });
    await progress.step('building', async () => {
      clock = 12_300;
    });
    await progress.step('looking', async () => undefined);
    expect(lines).toEqual(['[  0s] building …', '[ 12s] building: 12.3 s', '[ 12s] looking …']);
  });

  test('records the time of a step that failed, and passes its error on', async () => {
    const progress = createProgress({ timingsFile, now: () => 0, write: () => undefined });
    const work = progress.step('failing', () => Promise.reject(new Error('no disk')));
    await expect(work).rejects.toThrow('no disk');
    expect(slowestSteps(timingsFile, 1)).toEqual([{ step: 'failing', seconds: 0 }]);
  });

  test('lists the slowest steps first', () => {
    const timings = [3, 9, 1].map((seconds) => JSON.stringify({ step: `s${seconds}`, seconds }));
    writeFileSync(timingsFile, `${timings.join('\n')}\n`);
    expect(slowestSteps(timingsFile, 2).map(({ step }) => step)).toEqual(['s9', 's3']);
  });

  test('has no steps where nothing was recorded', () => {
    expect(slowestSteps(join(folder, 'none'), 10)).toEqual([]);
  });

  test('pads short times', () => {
    expect([elapsed(400), elapsed(75_000)]).toEqual(['  0s', ' 75s']);
  });
});
