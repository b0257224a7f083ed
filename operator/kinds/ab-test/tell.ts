/** A test's status, to be read like a report. Pure. */
import type { ABTestStatus } from '../../../crds/schema/ab-test.ts';
import type { Outcome, StatedCondition } from '../../runtime/reconciler.ts';
import { condition, ready, settled, stalled, working, type Particulars } from '../outcome.ts';
import type { Observation, Plan } from './plan.ts';
import { startWeights } from './bandit.ts';
import type { Finding } from './findings.ts';
import type { Judgement } from './judge.ts';
import type { Measurement, Weights } from './measurement.ts';
import { CONTROL } from './test-plan.ts';

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
        { status: statusOf(observation, startWeights(test.spec)), requeueAfterMs: LOOK_MS },
      );
    case 'running':
      return runningOutcome(observation, plan);
    case 'decided':
      return settled(ready('True', 'Complete', decidedWords(observation, plan)), {
        status: {
          ...statusOf(observation, {}, plan.judgement),
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

type Running = Extract<Plan, { is: 'running' }>;

/** Not ready while no units come: the test goes on by itself once they do, but somebody has to see to it. */
const runningOutcome = (observation: Observation, plan: Running): Outcome => {
  const { cutOff, judgement, weights, startTime } = plan;
  const words = runningWords(observation, plan);
  const particulars = {
    status: { ...statusOf(observation, weights, judgement), startTime },
    conditions: [routedCondition(cutOff), ...ratioCondition(judgement)],
    requeueAfterMs: LOOK_MS,
  };
  return cutOff === undefined
    ? settled(ready('True', 'TestRunning', words), particulars)
    : working(
        ready('False', 'TrafficRoutingUnavailable', `No units come: ${cutOff}. ${words}`),
        particulars,
      );
};

const routedCondition = (cutOff: string | undefined): StatedCondition =>
  cutOff === undefined
    ? condition('UnitsRouted', 'True', 'Routed', 'A gateway sends units to their variants.')
    : condition(
        'UnitsRouted',
        'False',
        'TrafficRoutingUnavailable',
        `No units come: ${cutOff}. Candidates keep their shares and pods, and units their variants; the test goes on when they come again, and ends after maximumRuntime all the same.`,
      );

const idle = (observation: Observation): Particulars => ({
  status: {
    ...statusOf(observation, {}),
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
      weight: weights[variant.name] ?? 0,
      ...samplesOf(measurement, variant.name),
      ...beliefOf(judgement, variant.name),
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

const beliefOf = (judgement: Judgement | undefined, name: string) => {
  const found = judgement?.beliefs.find(({ variant }) => variant === name);
  return found === undefined ? {} : { probabilityBest: found.probabilityBest };
};

const metricsOf = (judgement: Judgement | undefined, name: string) => {
  const its = (judgement?.findings ?? []).filter(({ candidate }) => candidate === name);
  return its.length === 0 ? {} : { metrics: its.map(metricOf) };
};

const metricOf = (finding: Finding) => {
  const { metric, comparison } = finding;
  const { lower, upper } = comparison.interval;
  const pValue = finding.role === 'guardrail' ? comparison.pValue : finding.adjustedP;
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
  { judgement, awaits, dropped }: Running,
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
  const lines = [...beliefWords(judgement), ...judgement.findings.map(findingWords)];
  return `Units: ${units.join(', ')}.${lines.map((line) => ` ${line}.`).join('')}`;
};

const beliefWords = ({ beliefs }: Judgement): readonly string[] =>
  beliefs.length === 0
    ? []
    : [
        `The best is ${beliefs.map(({ variant, probabilityBest }) => `${variant} ${probabilityBest.toFixed(3)}`).join(', ')}`,
      ];

const findingWords = ({ candidate, metric, role, comparison, verdict }: Finding): string => {
  const { effect, interval } = comparison;
  const beside = role === 'secondary' ? ' (secondary)' : '';
  if (effect === undefined) return `${candidate}, ${metric}${beside}: no data`;
  return `${candidate}, ${metric}: ${signed(effect)} [${signed(interval.lower)}, ${signed(interval.upper)}] ${verdict}${beside}`;
};

const signed = (value: number): string =>
  Number.isFinite(value)
    ? `${value < 0 ? '' : '+'}${Number(value.toPrecision(3))}`
    : value < 0
      ? '-∞'
      : '+∞';
