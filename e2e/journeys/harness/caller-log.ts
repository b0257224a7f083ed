import { expect } from '@jest/globals';

import { until } from './until.ts';
import type { Tenant } from './tenant.ts';

/** One line of a caller of examples/02-canary: how many answers, of which version how many. */
type CallerLine = {
  readonly total: number;
  readonly byVersion: Readonly<Record<string, number>>;
  readonly failed: number;
};

const LINE = /(\d+) answers: (.*); (\d+) failed$/;
const VERSION = /(\S+) \d+% \((\d+)\)/g;

const callerLines = (log: string): readonly CallerLine[] =>
  log.split('\n').flatMap((line) => {
    const found = LINE.exec(line);
    if (found === null) return [];
    const [, total, shares = '', failed] = found;
    const counts = Array.from(shares.matchAll(VERSION), ([, version = '', count]) => [
      version,
      Number(count),
    ]);
    const byVersion = Object.fromEntries(counts) as Record<string, number>;
    return [{ total: Number(total), byVersion, failed: Number(failed) }];
  });

/** What the callers saw in whole lines from now on, added up until there are so many answers. */
export const nextAnswers = async (
  tenant: Tenant,
  job: string,
  answers: number,
): Promise<CallerLine> => {
  const lines = async () => callerLines(await tenant.kubectl('logs', `job/${job}`));
  // The line that is being counted began before.
  const from = (await lines()).length + 1;
  return until(`${answers} answers in the log of ${job}`, 120, async () => {
    const since = (await lines()).slice(from);
    const sum = since.reduce(added, { total: 0, byVersion: {}, failed: 0 });
    return sum.total >= answers ? sum : undefined;
  });
};

const added = (sum: CallerLine, line: CallerLine): CallerLine => ({
  total: sum.total + line.total,
  failed: sum.failed + line.failed,
  byVersion: Object.fromEntries(
    [...new Set([...Object.keys(sum.byVersion), ...Object.keys(line.byVersion)])].map((version) => [
      version,
      (sum.byVersion[version] ?? 0) + (line.byVersion[version] ?? 0),
    ]),
  ),
});

/** No request failed since the first answer; before it the model may still be on its way. */
export const expectNoFailures = (log: string): void => {
  const lines = callerLines(log);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.filter(({ failed }) => failed > 0)).toEqual([]);
};
