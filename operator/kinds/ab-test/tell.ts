/** A test's status, to be read like a report. Pure. */
import type { ABTest, ABTestStatus } from '../../../crds/schema/ab-test.ts';
import type { Outcome, StatedCondition } from '../../runtime/reconciler.ts';
import { condition, ready, settled, stalled, working, type Particulars } from '../outcome.ts';
import type { Observation, Plan } from './plan.ts';
import { CONTROL, type Finding, type Judgement } from './judge.ts';
import type { Measurement } from './measurement.ts';

type Variant = NonNullable<ABTestStatus['variants']>[number];

/** How often the numbers are looked at. */
export const LOOK_MS = 15_000;

export const tell = (observation: Observation, plan: Plan, now: string): Outcome => {
  const { test } = observation;
  switch (plan.is) {
    case 'refused': {
      const summary = ready('False', plan.reason, plan.message);
      const more = { ...idle(observation), requeueAfterMs: LOOK_MS };
      return plan.waits ? working(summary, more) : stalled(summary, more);
    }
    case 'waiting':
      return working(ready('False', 'WaitingForTest', plan.message), {
        ...idle(observation),
        requeueAfterMs: LOOK_MS,
      });
    case 'suspended':
      return settled(
        ready('False', 'Suspended', 'spec.suspend is true: everything goes to control.'),
        idle(observation),
      );
    case 'starting':
      return working(
        ready(
          'False',
          'Reconciling',
          `Waits until Deployment ${test.spec.deploymentRef.name} routes ${plan.missing.join(', ')}; its own status says what keeps it.`,
        ),
        { status: statusOf(observation, weightsOf(test, [])), requeueAfterMs: LOOK_MS },
      );
    case 'running':
      return settled(ready('True', 'TestRunning', runningWords(observation, plan)), {
        status: {
          ...statusOf(observation, weightsOf(test, plan.dropped), plan.judgement),
          startTime: plan.startTime,
        },
        conditions: ratioCondition(plan.judgement),
        requeueAfterMs: LOOK_MS,
      });
    case 'decided':
      return settled(ready('True', 'Complete', decidedWords(observation, plan)), {
        status: {
          ...statusOf(observation, [], plan.judgement),
          ...{ startTime: plan.startTime, completionTime: now },
          decision: plan.decision.winner,
        },
        conditions: [
          condition('Complete', 'True', 'Complete', `Decided: ${plan.decision.winner}.`),
          ...ratioCondition(plan.judgement),
        ],
      });
  }
};

type Weights = readonly { readonly name: string; readonly weight: number }[];

/** What each variant is to get; candidates that were dropped leave their share to control. */
const weightsOf = ({ spec }: ABTest, dropped: readonly string[]): Weights => {
  const candidates = spec.candidates.filter(({ name }) => !dropped.includes(name));
  const control = 100 - candidates.reduce((sum, { weight }) => sum + weight, 0);
  return [{ name: CONTROL, weight: control }, ...candidates];
};

const idle = (observation: Observation): Particulars => ({
  status: {
    ...statusOf(observation, []),
    ...(observation.test.status?.startTime === undefined
      ? {}
      : { startTime: observation.test.status.startTime }),
  },
});

const statusOf = (
  { test, deployment, measurement }: Observation,
  weights: Weights,
  judgement?: Judgement,
): Readonly<Record<string, unknown>> => {
  const served = deployment?.status?.servedVersion;
  const control = test.status?.variants?.find(({ name }) => name === CONTROL)?.version ?? served;
  const variants: readonly Pick<Variant, 'name' | 'version'>[] = [
    { name: CONTROL, ...(control === undefined ? {} : { version: control }) },
    ...test.spec.candidates.map(({ name, version }) => ({ name, version })),
  ];
  return {
    variants: variants.map((variant) => ({
      ...variant,
      weight: weights.find(({ name }) => name === variant.name)?.weight ?? 0,
      ...samplesOf(measurement, variant.name),
      ...metricsOf(judgement, variant.name),
    })),
    ...(measurement === undefined ? {} : { samples: total(measurement) }),
    ...(judgement === undefined ? {} : { sampleRatioMismatch: judgement.isMismatched }),
  };
};

const total = ({ variants }: Measurement): number =>
  variants.reduce((sum, { units }) => sum + units, 0);

const samplesOf = (measurement: Measurement | undefined, name: string) => {
  const found = measurement?.variants.find(({ variant }) => variant === name);
  return found === undefined ? {} : { samples: found.units };
};

const metricsOf = (judgement: Judgement | undefined, name: string) => {
  const its = (judgement?.findings ?? []).filter(({ candidate }) => candidate === name);
  return its.length === 0 ? {} : { metrics: its.map(metricOf) };
};

const metricOf = (finding: Finding) => {
  const { metric, comparison } = finding;
  const { lower, upper } = comparison.interval;
  const pValue = finding.role === 'goal' ? finding.adjustedP : comparison.pValue;
  return {
    name: metric,
    role: finding.role,
    verdict: finding.verdict,
    ...(comparison.effect === undefined ? {} : { estimate: comparison.effect }),
    interval: {
      ...(Number.isFinite(lower) ? { lower } : {}),
      ...(Number.isFinite(upper) ? { upper } : {}),
    },
    pValue,
    ...believed(comparison),
  };
};

const believed = ({ probabilityToBeat, expectedLoss }: Finding['comparison']) =>
  probabilityToBeat === undefined ? {} : { probabilityToBeat, expectedLoss };

const ratioCondition = (judgement: Judgement | undefined): readonly StatedCondition[] => {
  if (judgement === undefined) return [];
  const { isMismatched, sampleRatioP } = judgement;
  return [
    isMismatched
      ? condition(
          'SamplesAsWeighted',
          'False',
          'SampleRatioMismatch',
          `Units are not split as the weights say (p ${sampleRatioP.toExponential(1)}): something loses units of one variant, such as crashes, bots or a cache. Nothing is decided until that is found.`,
        )
      : condition('SamplesAsWeighted', 'True', 'Accepted', 'Units are split as the weights say.'),
  ];
};

const runningWords = (
  observation: Observation,
  { judgement, awaits, dropped }: Extract<Plan, { is: 'running' }>,
): string => {
  const gone = dropped.length === 0 ? '' : ` ${dropped.join(', ')} was taken out: harmful.`;
  return `${report(observation, judgement)} Awaits ${awaits.join('; ')}.${gone}`;
};

const decidedWords = (
  observation: Observation,
  { judgement, decision, promote }: Extract<Plan, { is: 'decided' }>,
): string => {
  const moved =
    promote === undefined
      ? ''
      : ` Alias ${observation.alias?.spec.alias ?? ''} moves to ${promote}.`;
  return `${decision.winner}: ${decision.words}.${moved} ${report(observation, judgement)}`;
};

/** One sentence for each candidate and metric. */
const report = ({ measurement }: Observation, judgement: Judgement | undefined): string => {
  if (measurement === undefined || judgement === undefined) return 'Nothing was measured yet.';
  const units = measurement.variants.map(({ variant, units: count }) => `${variant} ${count}`);
  const lines = judgement.findings.map(findingWords);
  return `Units: ${units.join(', ')}.${lines.map((line) => ` ${line}.`).join('')}`;
};

const findingWords = ({ candidate, metric, comparison, verdict }: Finding): string => {
  const { effect, interval } = comparison;
  if (effect === undefined) return `${candidate}, ${metric}: no data`;
  return `${candidate}, ${metric}: ${signed(effect)} [${signed(interval.lower)}, ${signed(interval.upper)}] ${verdict}`;
};

const signed = (value: number): string =>
  Number.isFinite(value)
    ? `${value < 0 ? '' : '+'}${Number(value.toPrecision(3))}`
    : value < 0
      ? '-∞'
      : '+∞';
