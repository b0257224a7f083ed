/** The questions behind the metrics of an analysis that are asked over HTTP. */
import type { Probe } from '../../../probing/metric-probe.ts';
import type { Pass } from '../../../runtime/reconciler.ts';
import { shortHash } from '../../names-of-children.ts';
import type { Metric } from './verdict.ts';
import type { CanaryMemory } from '../memory.ts';
import { addressOfService, ownServiceOf } from './own-service.ts';
import { Unfillable, type Placeholders } from './placeholders.ts';
import { prometheusQuestion } from './prometheus.ts';
import { webQuestion } from './web.ts';

export type Question =
  | { readonly metric: string; readonly probe: Probe; readonly fault?: undefined }
  /** It cannot be asked as it stands. */
  | { readonly metric: string; readonly fault: string };

type Asking = {
  readonly placeholders: Placeholders;
  readonly namespace: string;
  /** What was asked of another attempt, or at another share, was another question. */
  readonly memory: Pick<CanaryMemory, 'attempt' | 'judgedFrom'>;
};

/** Undefined for metrics that are not asked over HTTP. */
export const questionOf = (
  metric: Metric,
  { placeholders, namespace, memory }: Asking,
  live: Pass['live'],
): Question | undefined => {
  try {
    const { attempt, judgedFrom } = memory;
    const question = sourceOf(metric, placeholders);
    if (question === undefined) return undefined;
    const service = ownServiceOf(question.request.url, namespace);
    const address =
      service === undefined ? {} : { address: addressOfService(service, namespace, live) };
    const request = { ...question.request, ...address };
    const id = `${metric.name} ${shortHash(JSON.stringify([metric, question.request, attempt, judgedFrom]))}`;
    return { metric: metric.name, probe: { ...question, id, request } };
  } catch (error) {
    if (error instanceof Unfillable) return { metric: metric.name, fault: error.message };
    throw error;
  }
};

/** One line for each source. */
const sourceOf = (
  { prometheus, web }: Metric,
  placeholders: Placeholders,
): Omit<Probe, 'id'> | undefined => {
  if (prometheus !== undefined) return prometheusQuestion(prometheus, placeholders);
  if (web !== undefined) return webQuestion(web, placeholders);
  return undefined;
};
