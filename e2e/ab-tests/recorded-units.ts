import type { ABTestSpec } from '../../crds/schema/ab-test.ts';
import {
  definitionsOf,
  requestMetricOf,
  sentMetrics,
} from '../../operator/kinds/ab-test/test-metrics.ts';
import { variantsOf } from './virtual-test.ts';

/** One outcome of a unit; without a metric, that the unit was there. `at` in ms since 1970. */
export type RecordedUnit = {
  readonly unit: string;
  readonly variant: string;
  readonly metric: string | undefined;
  readonly value: number;
  readonly at: number;
};

const COLUMNS = ['unit', 'variant', 'metric', 'value', 'at'];
/** RFC 3339, section 5.6. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

type Reading = {
  readonly file: string;
  readonly variants: ReadonlySet<string>;
  readonly metrics: ReadonlySet<string>;
};

/**
 * Rows of a csv file with the columns unit, variant, metric, value and at, by time. No quotes: neither of
 * them holds a comma. Rows of one time keep their order.
 * @throws Error with the line of what cannot be read
 */
export const readUnits = (
  text: string,
  file: string,
  spec: ABTestSpec,
): readonly RecordedUnit[] => {
  const [head = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (head.trim() !== COLUMNS.join(',')) {
    throw new Error(
      `${file}:1: the first line must be ${COLUMNS.join(',')}, not ${head.slice(0, 80)}`,
    );
  }
  const reading = { file, variants: new Set(variantsOf(spec)), metrics: metricsOf(spec) };
  const rows = lines.flatMap((line, index) =>
    line.trim() === '' ? [] : [rowOf(line, index + 2, reading)],
  );
  if (rows.length === 0)
    throw new Error(`${file} has no units: give at least one line below the head.`);
  return rows.sort((one, other) => one.at - other.at);
};

/** Those that are sent, and those of the request log: a row each request. */
const metricsOf = (spec: ABTestSpec): ReadonlySet<string> =>
  new Set([
    ...sentMetrics(spec),
    ...definitionsOf(spec).flatMap((metric) => requestMetricOf(metric) ?? []),
  ]);

const rowOf = (line: string, number: number, reading: Reading): RecordedUnit => {
  const cells = line.split(',').map((cell) => cell.trim());
  const [unit = '', variant = '', metric = '', value = '', at = ''] = cells;
  const fault =
    cells.length === COLUMNS.length
      ? (exposureFault({ unit, variant, at }, reading) ?? outcomeFault({ metric, value }, reading))
      : `has ${cells.length} cells; there are ${COLUMNS.join(', ')}`;
  if (fault !== undefined) throw new Error(`${reading.file}:${number}: ${fault}`);
  const outcome =
    metric === '' ? { metric: undefined, value: 0 } : { metric, value: Number(value) };
  return { unit, variant, at: Date.parse(at), ...outcome };
};

type Cells<Name extends string> = Readonly<Record<Name, string>>;

const exposureFault = (
  { unit, variant, at }: Cells<'unit' | 'variant' | 'at'>,
  { variants }: Reading,
): string | undefined => {
  if (unit === '') return 'has no unit';
  if (!variants.has(variant)) {
    return `has the variant ${variant}; this test has ${[...variants].join(', ')}`;
  }
  if (RFC_3339.test(at) && !Number.isNaN(Date.parse(at))) return undefined;
  return `at is ${at}, not a time such as 2026-02-01T12:00:00Z`;
};

const outcomeFault = (
  { metric, value }: Cells<'metric' | 'value'>,
  { metrics }: Reading,
): string | undefined => {
  if (metric === '' && value === '') return undefined;
  if (!metrics.has(metric)) {
    return `has the metric ${metric}; this test takes ${[...metrics].join(', ')}`;
  }
  if (value !== '' && Number.isFinite(Number(value))) return undefined;
  return `value is ${value}, not a number`;
};
