/** What other systems say about the candidate. */
import type { Deployment } from '../../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import { parseDuration } from '../../../../serving-runtime/protocol/duration.ts';
import type { MetricProbe } from '../../../probing/metric-probe.ts';
import type { Pass } from '../../../runtime/reconciler.ts';
import type { Metric } from './verdict.ts';
import type { CanaryMemory } from '../memory.ts';
import type { Measured } from './judge-measured.ts';
import { placeholdersOf } from './placeholders.ts';
import { questionOf, type Question } from './questions.ts';

export type Subject = {
  readonly deployment: Deployment;
  readonly memory: CanaryMemory;
  /** The version that comes up, once all its pods can answer. */
  readonly candidate: ModelVersion | undefined;
  readonly stable: ModelVersion | undefined;
};

type Elsewhere = {
  /** By the metric's name. */
  readonly measured: ReadonlyMap<string, Measured>;
  /** Asks once; to be done outside of the pass. */
  readonly ask: (signal: AbortSignal) => Promise<void>;
};

export const observeMetrics = (
  { deployment, memory, candidate, stable }: Subject,
  pass: Pass,
  probe: MetricProbe,
): Elsewhere => {
  const { uid: id = '', namespace } = deployment.metadata;
  const metrics = deployment.spec.strategy?.canary?.analysis?.metrics ?? [];
  if (candidate === undefined) return { measured: new Map(), ask: async () => undefined };
  const placeholders = placeholdersOf(deployment, candidate, stable);
  const questions = metrics.flatMap((metric) => {
    const since = judgedSince(metric, memory);
    const question = questionOf(metric, { placeholders, namespace, memory }, pass.live);
    return question === undefined ? [] : [{ since, question }];
  });
  const measured = questions.map(
    ({ since, question }) => [question.metric, measuredOf(question, id, since, probe)] as const,
  );
  const probes = questions.flatMap(({ since, question }) =>
    question.fault === undefined && since <= pass.now ? [question.probe] : [],
  );
  return {
    measured: new Map(measured),
    ask: (wait) =>
      probes.length === 0
        ? Promise.resolve()
        : probe.measure({ id, namespace }, probes, { wait, stop: pass.signal }),
  };
};

const judgedSince = ({ initialDelay = '0s' }: Metric, { judgedFrom }: CanaryMemory): Date =>
  new Date(Date.parse(judgedFrom) + (parseDuration(initialDelay) ?? 0));

const measuredOf = (question: Question, id: string, since: Date, probe: MetricProbe): Measured =>
  question.fault === undefined
    ? { measurements: probe.measurements(id, question.probe.id, since) }
    : { measurements: [], pending: question.fault };
