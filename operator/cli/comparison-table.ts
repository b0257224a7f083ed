/** A comparison of runs as a page of text. Pure. */
import { columns, printable, short } from './columns.ts';
import type { Comparison, Importance, Pair, Summary, Test, Unknown } from './comparison.ts';
import { groupNames } from './group-names.ts';

type Names = (group: string) => string;

export const comparisonTable = (found: Comparison): readonly string[] => [
  ...overview(found),
  ...paramsTable(found, groupNames(found)),
  ...found.metrics.flatMap((metric) => metricTable(metric, found)),
];

const overview = ({ groups, ungrouped, message }: Comparison): readonly string[] => {
  const runs = groups.reduce((sum, group) => sum + group.runs.length, 0);
  return [
    `${runs} runs in ${groups.length} groups`,
    ...(ungrouped.length === 0
      ? []
      : [`left out, being in no group: ${printable(ungrouped.join(', '))}`]),
    ...(message === undefined ? [] : [printable(message)]),
  ];
};

const paramsTable = (
  { params, differingParams, groups }: Comparison,
  names: Names,
): readonly string[] => {
  if (params.length === 0) return [];
  const rows = params.map(({ name, values }) => [
    name,
    ...groups.map((group) => {
      const its = values.find((each) => each.group === group.name);
      return its === undefined || its.values.length === 0 ? '-' : its.values.join(', ');
    }),
  ]);
  const more = differingParams - params.length;
  return [
    '',
    ...columns([['PARAM', ...groups.map(({ name }) => names(name))], ...rows]),
    ...(more > 0 ? [`and ${more} more that differ`] : []),
  ];
};

const metricTable = (
  { name, groups, comparisons }: Comparison['metrics'][number],
  found: Comparison,
): readonly string[] => {
  const names = groupNames(found);
  return [
    '',
    ...columns([
      [name.toUpperCase(), 'RUNS', 'MEAN', `${short(found.confidence * 100)} % INTERVAL`],
      ...groups.map((group) => summaryRow(group, names)),
    ]),
    ...comparisons.filter(isAnswered).map((pair) => pairLine(pair, names)),
    ...unanswered(comparisons.filter((pair) => !isAnswered(pair))),
  ];
};

const summaryRow = (summary: Summary, names: Names): readonly string[] => {
  const { group, count, mean, interval, missing, notFinite } = summary;
  const without = missing.length + notFinite.length;
  return [
    names(group),
    without === 0 ? String(count) : `${count} of ${count + without}`,
    mean === undefined ? '-' : short(mean),
    interval === undefined ? unknown(summary) : intervalWords(interval),
  ];
};

const intervalWords = ({ lower, upper }: { readonly lower: number; readonly upper: number }) =>
  `${short(lower)} to ${short(upper)}`;

const TESTS = {
  'paired-t': 'paired t',
  'welch-t': 'Welch t',
  'wilcoxon-signed-rank': 'Wilcoxon',
} as const;

const isAnswered = ({ t, wilcoxon }: Pair): boolean =>
  t.pValue !== undefined || wilcoxon?.pValue !== undefined;

/** Pairs that nothing can be said of, by why; a search of single trials has very many. */
const unanswered = (pairs: readonly Pair[]): readonly string[] => {
  const byReason = new Map<string, number>();
  for (const { t } of pairs) byReason.set(unknown(t), (byReason.get(unknown(t)) ?? 0) + 1);
  return [...byReason].map(
    ([why, count]) => `${count} ${count === 1 ? 'pair' : 'pairs'} of groups: ${why}`,
  );
};

const unknown = ({ reason, needed }: Unknown): string => {
  if (reason === 'NoVariation') return 'the same in all';
  return needed === undefined ? 'unknown' : `not enough runs (${needed} needed)`;
};

const pairLine = ({ a, b, difference, t, wilcoxon }: Pair, names: Names): string => {
  const by = difference === undefined ? '' : ` ${difference > 0 ? '+' : ''}${short(difference)}`;
  const range = t.interval === undefined ? '' : ` (${intervalWords(t.interval)})`;
  const tests = [t, ...(wilcoxon === undefined ? [] : [wilcoxon])].map(testWords);
  return printable(`${names(b)} less ${names(a)}:${by}${range}; ${tests.join('; ')}`);
};

const testWords = ({ test, pValue, adjustedPValue, ...why }: Test): string =>
  pValue === undefined
    ? `${TESTS[test]}: ${unknown(why)}`
    : `${TESTS[test]} p ${short(pValue)}${adjustedPValue === undefined ? '' : `, ${short(adjustedPValue)} by Holm`}`;

const BAR = 30;

export const importanceTable = (found: Importance): readonly string[] => {
  const { objective, evaluator, importances, message } = found;
  if (importances.length === 0)
    return ['', printable(message ?? `Nothing is known of ${objective}.`)];
  return [
    '',
    ...columns([
      [`WHAT MATTERS FOR ${objective}`, 'SHARE', ''],
      ...importances.map(({ parameter, importance }) => [
        parameter,
        importance.toFixed(2),
        '█'.repeat(Math.round(importance * BAR)),
      ]),
    ]),
    ...(evaluator === undefined ? [] : [printable(`by ${evaluator}`)]),
  ];
};
