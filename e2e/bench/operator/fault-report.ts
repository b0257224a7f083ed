import type { FaultResult } from './fault-rounds.ts';
import type { Goal } from './goals.ts';
import { table } from './report.ts';

const MOST_TIME = 5;
const MOST_REQUESTS = 3;
const HEALED_SECONDS = 60;

/** Times and requests of each case beside multiples of the same operator's clean run. */
export const faultReport = (results: readonly FaultResult[]): readonly string[] => [
  '',
  'behind a fault proxy: seconds to create / to change all, requests; (multiples of its own clean run)',
  ...table([
    ['case', 'ours', 'ours: requests', 'go', 'go: requests'],
    ...[...new Set(results.map(({ name }) => name))].map((name) => [
      name,
      ...(['ours', 'go'] as const).flatMap((contestant) => cells(results, name, contestant)),
    ]),
  ]),
];

const cells = (
  results: readonly FaultResult[],
  name: string,
  contestant: FaultResult['contestant'],
): readonly string[] => {
  const result = found(results, name, contestant);
  const clean = found(results, 'clean', contestant);
  const seconds = (value: number | undefined): string => value?.toFixed(1) ?? 'not done';
  const times = `${seconds(result.createSeconds)} / ${seconds(result.changeSeconds)}`;
  const left = result.left > 0 ? `, ${result.left} left` : '';
  const ratio = result.left > 0 ? '' : ` (${(totalOf(result) / totalOf(clean)).toFixed(1)} ×)`;
  return [
    `${times}${left}${ratio}`,
    `${result.requests} (${(result.requests / clean.requests).toFixed(1)} ×)`,
  ];
};

/** What ours promises; the healing of frozen watches and lost events by its own clock. */
export const faultGoals = (results: readonly FaultResult[]): readonly Goal[] => {
  const clean = found(results, 'clean', 'ours');
  return results
    .filter(({ contestant, name }) => contestant === 'ours' && name !== 'clean')
    .flatMap((result) =>
      /frozen|lost/.test(result.name)
        ? [
            {
              text: `${result.name}: each healed within ${HEALED_SECONDS} s`,
              measured: result.left > 0 ? `${result.left} left` : `${totalOf(result).toFixed(1)} s`,
              met:
                result.left === 0 &&
                (result.createSeconds ?? Infinity) <= HEALED_SECONDS &&
                (result.changeSeconds ?? Infinity) <= HEALED_SECONDS,
            },
          ]
        : [
            withinMultiple(`${result.name}: time`, totalOf(result) / totalOf(clean), MOST_TIME),
            withinMultiple(
              `${result.name}: requests`,
              result.requests / clean.requests,
              MOST_REQUESTS,
            ),
          ],
    );
};

const withinMultiple = (what: string, multiple: number, most: number): Goal => ({
  text: `${what} within ${most} × the clean run's`,
  measured: Number.isFinite(multiple) ? `${multiple.toFixed(1)} ×` : 'not done',
  met: multiple <= most,
});

const totalOf = ({ createSeconds, changeSeconds }: FaultResult): number =>
  (createSeconds ?? Infinity) + (changeSeconds ?? Infinity);

const found = (
  results: readonly FaultResult[],
  name: string,
  contestant: FaultResult['contestant'],
): FaultResult => {
  const result = results.find((each) => each.name === name && each.contestant === contestant);
  if (result === undefined) throw new Error(`${contestant} was not run through "${name}"`);
  return result;
};
