import { describe, expect, test } from '@jest/globals';
import { LOG_START, readMetricLines } from './metric-lines.ts';

const at = (second: number, words: string): string =>
  `2026-03-01T12:00:${String(second).padStart(2, '0')}.5Z ${words}\n`;
const STAMP = '2026-03-01T12:00:01.500000000Z';
const NAMES = ['accuracy', 'loss', 'val/f1'];

const pairs = (words: string) =>
  readMetricLines(at(1, words), NAMES, LOG_START).metrics.map(
    ({ key, value, step }) => `${key}@${step}=${value}`,
  );

describe('metrics in lines of a log', () => {
  test.each([
    ['accuracy=0.9', ['accuracy@0=0.9']],
    ['epoch 3: accuracy = 1e-3, loss=-.5', ['accuracy@0=0.001', 'loss@0=-0.5']],
    ['step=12 {loss=3} val/f1=+2.', ['loss@12=3', 'val/f1@12=2']],
    ['Epoch=7 loss=nan accuracy=-inf', ['loss@7=NaN', 'accuracy@7=-Infinity']],
    ['accuracy=0.9x loss=', []],
    ['my_accuracy=1 train.loss=2', []],
    ['accuracy==1', []],
    ['accuracy 0.9', []],
    ['step=0.5 loss=1', ['loss@0=1']],
    [`${'x'.repeat(5000)} loss=1`, []],
  ])('%s', (words, want) => {
    expect(pairs(words)).toEqual(want);
  });

  test('that name no step are numbered, going on where they were left', () => {
    const first = readMetricLines(at(1, 'loss=3') + at(2, 'loss=2'), NAMES, LOG_START);
    expect(first.metrics.map(({ step }) => step)).toEqual([0, 1]);
    const all = at(1, 'loss=3') + at(2, 'loss=2') + at(3, 'loss=1');
    const second = readMetricLines(all, NAMES, first.cursor);
    expect(second.metrics).toEqual([
      { key: 'loss', value: 1, step: 2, timestamp: Date.parse('2026-03-01T12:00:03.5Z') },
    ]);
    expect(readMetricLines(all, NAMES, second.cursor).metrics).toEqual([]);
  });

  test('of one moment are told apart by their order', () => {
    const one = readMetricLines(at(1, 'loss=1'), NAMES, LOG_START);
    expect(one.cursor).toEqual({ time: STAMP, lines: 1, steps: { loss: 1 } });
    const two = readMetricLines(at(1, 'loss=1') + at(1, 'loss=2'), NAMES, one.cursor);
    expect(two.metrics.map(({ value }) => value)).toEqual([2]);
    expect(two.cursor.lines).toBe(2);
  });

  test('are left for the next time while their line has no end', () => {
    const cut = at(1, 'loss=1') + at(2, 'loss=0.25').slice(0, -2);
    expect(readMetricLines(cut, NAMES, LOG_START).metrics.map(({ value }) => value)).toEqual([1]);
    expect(readMetricLines(cut, NAMES, LOG_START, true).metrics.map(({ value }) => value)).toEqual([
      1, 0.2,
    ]);
  });

  test('are found in a hostile line in no time', () => {
    const began = performance.now();
    for (const piece of ['a', 'a=', ' = ', 'a 1', '=1', 'a=1e']) {
      readMetricLines(at(1, piece.repeat(4096).slice(0, 4096)), NAMES, LOG_START);
    }
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
