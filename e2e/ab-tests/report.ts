import type { MetricModel } from './metric-model.ts';
import { METHODS, type Method, type SimulationPlan } from './simulate-test.ts';
import type { Tally } from './tally.ts';
import type { Theory } from './theory.ts';
import { percent, range } from './verdict.ts';

const METHOD_NAMES: Readonly<Record<Method, string>> = {
  decide: 'this controller',
  threshold: 'fixed threshold',
  repeated: 'one-look test at every look',
};

const HEAD = ['promoted', '99 % interval', 'control kept', 'inconclusive', 'days: half', '90 %'];
const WIDTHS = [9, 16, 13, 13, 11, 6];
const NAME_WIDTH = 44;

/** What was assumed, before anything is simulated. */
export const assumptionLines = ({ spec, metrics, traffic }: SimulationPlan): readonly string[] => [
  `${traffic.unitsPerDay} units a day for ${traffic.days} days, looked at ${traffic.looks} times; alpha ${spec.alpha}, minimumSamples ${spec.minimumSamples}, minimumRuntime ${spec.minimumRuntime}, maximumRuntime ${spec.maximumRuntime}`,
  ...metrics.map((model, index) => {
    const [goals, guardrails] = [spec.metrics.goal.length, spec.metrics.guardrails?.length ?? 0];
    const role = index < goals ? 'goal' : index < goals + guardrails ? 'guardrail' : 'secondary';
    return `${role} ${model.name}: ${shapeWords(model)}, control ${model.control}, effect ${model.effects.join(', ') || 0}`;
  }),
];

const shapeWords = ({ shape, aggregate, spread, quantile }: MetricModel): string => {
  const of = aggregate === 'quantile' ? `quantile ${quantile ?? ''} of ` : '';
  return shape === 'share' ? 'share' : `${of}${shape}, spread ${spread}`;
};

export const tableOf = (
  title: string,
  tallies: Readonly<Partial<Record<Method, Tally>>>,
  theory: Theory | undefined,
): readonly string[] => [
  row(title, HEAD),
  ...METHODS.flatMap((method) => {
    const tally = tallies[method];
    return tally === undefined ? [] : [row(`  ${METHOD_NAMES[method]}`, cellsOf(tally))];
  }),
  ...theoryRows(theory),
];

const theoryRows = (theory: Theory | undefined): readonly string[] =>
  theory === undefined
    ? []
    : [
        row('  theory: this sequence at these looks', [percent(theory.sequential)]),
        row('  theory: this sequence at the planned units', [percent(theory.atPlannedUnits)]),
        row('  theory: one look at the end', [percent(theory.fixed)]),
      ];

const cellsOf = (tally: Tally): readonly string[] => [
  percent(tally.promoted),
  range(tally.interval),
  percent(tally.controlKept),
  percent(tally.inconclusive),
  tally.medianDays.toFixed(1),
  tally.slowDays.toFixed(1),
];

const row = (name: string, cells: readonly string[]): string =>
  name.padEnd(NAME_WIDTH) + cells.map((cell, index) => cell.padStart(WIDTHS[index] ?? 0)).join('');
