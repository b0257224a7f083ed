import type { PredictionStore } from '../../../store/predictions.ts';
import type { MetricDefinition, Measurement } from '../measurement.ts';
import type { Outcome, OutcomeStore, TestScope } from '../outcome-store.ts';

export type Stores = { readonly outcomes: OutcomeStore; readonly predictions: PredictionStore };

export const NOW = Date.parse('2026-02-01T18:00:00Z');

/** A time of the day the tests play on: `at('12:30')`. */
export const at = (time: string): string => `2026-02-01T${time}:00.000Z`;

export const CONVERSION = { name: 'conversion', type: 'proportion' } as const;
export const REVENUE = { name: 'revenue', type: 'mean' } as const;

/** A test of its own on the Deployment of that name, so that tests on one database do not meet. */
export const openTestOf = (stores: Stores, deployment: string, { moves = false } = {}) => {
  const { outcomes, predictions } = stores;
  const key = { namespace: 'demo', name: deployment };
  const scope: TestScope = {
    ...{ uid: `uid-${deployment}`, namespace: 'demo', name: `${deployment}-test`, deployment },
    ...{ since: at('10:00'), variants: ['control', 'bigger'], moves },
  };
  let ids = 0;

  /** `log('ada', 'control', '12:00')`: a request that ada was answered at noon. */
  const log = async (
    unit: string | undefined,
    variant: string | undefined,
    time: string,
    more: { readonly id?: string; readonly status?: number; readonly latencyMs?: number } = {},
  ): Promise<void> => {
    const id = `request-${++ids}`;
    const prediction = {
      ...{ id, at: at(time), unit, variant, version: '1.0.0', status: 200, latencyMs: 1 },
      ...{ record: '{}', ...more },
    };
    await predictions.append(key, {
      ...{ batchId: `batch-${ids}`, predictions: [prediction], sketches: [] },
    });
  };

  /** `of`: a unit, or the id of a request as `#id`. */
  const outcome = (of: string, metric: string, value: number, time: string): Outcome => ({
    key: (++ids).toString(16).padStart(32, '0'),
    of: of.startsWith('#') ? { predictionId: of.slice(1) } : { unit: of },
    ...{ metric, value, at: at(time) },
  });

  const send = (...rows: readonly Parameters<typeof outcome>[]) =>
    outcomes.append(
      scope,
      rows.map((row) => outcome(...row)),
    );

  const absorb = async (): Promise<number> => {
    let requests = 0;
    let behind = true;
    while (behind) {
      const absorbed = await outcomes.absorb(scope, NOW);
      requests += absorbed.requests;
      behind = absorbed.behind;
    }
    return requests;
  };

  const measure = (...metrics: readonly MetricDefinition[]): Promise<Measurement> =>
    outcomes.measure(scope, metrics);

  /** The aggregates of one metric, by variant. */
  const aggregates = async (metric: MetricDefinition) => {
    const { metrics } = await measure(metric);
    return Object.fromEntries(metrics.map(({ variant, aggregate }) => [variant, aggregate]));
  };

  return { ...stores, scope, log, outcome, send, absorb, measure, aggregates };
};
