import { Environment } from '@marcbachmann/cel-js';

import type { Metric } from './run-store.ts';

export type GateResult =
  | { readonly passed: true }
  | {
      readonly passed: false;
      readonly reason: 'GateRejected' | 'InvalidExpression';
      readonly message: string;
    };

const LONGEST = 2048;
/**
 * With these limits, one loop at most and no regular expressions (which can take exponential time),
 * an expression's size bounds what it costs.
 */
const LIMITS = { maxAstNodes: 500, maxDepth: 32, maxListElements: 100, maxMapEntries: 100 };
const LOOP = /\.\s*(all|exists|exists_one|existsOne|map|filter)\s*\(/g;
const PATTERN = /\bmatches\s*\(/;

/** Evaluates `register.when` (CEL) over the latest metrics of a run, as `metrics.<name>`. */
export const evaluateGate = (
  expression: string | undefined,
  metrics: readonly Pick<Metric, 'key' | 'value'>[],
): GateResult => {
  if (expression === undefined) return { passed: true };
  if (expression.length > LONGEST) {
    return invalid(expression.slice(0, 50), `it is longer than ${LONGEST} characters`, metrics);
  }
  if ((expression.match(LOOP) ?? []).length > 1 || PATTERN.test(expression)) {
    return invalid(expression, 'matches() and more than one loop are not allowed here', metrics);
  }
  const result = evaluate(expression, metrics);
  if ('fault' in result) return invalid(expression, result.fault, metrics);
  if (result.value === true) return { passed: true };
  if (result.value !== false) {
    return invalid(expression, 'it does not yield true or false', metrics);
  }
  return {
    passed: false,
    reason: 'GateRejected',
    message: `spec.register.when (${expression}) is false, so nothing was registered. The run logged ${listed(metrics)}.`,
  };
};

const evaluate = (
  expression: string,
  metrics: readonly Pick<Metric, 'key' | 'value'>[],
): { readonly value: unknown } | { readonly fault: string } => {
  const values = Object.fromEntries(metrics.map(({ key, value }) => [key, value]));
  try {
    const environment = new Environment({ limits: LIMITS }).registerVariable(
      'metrics',
      'map<string, double>',
    );
    return { value: environment.evaluate(expression, { metrics: values }) as unknown };
  } catch (error) {
    return { fault: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
};

const invalid = (
  expression: string,
  fault: string,
  metrics: readonly Pick<Metric, 'key' | 'value'>[],
): GateResult => ({
  passed: false,
  reason: 'InvalidExpression',
  message: `spec.register.when (${expression}) cannot be evaluated: ${fault}. The run logged ${listed(metrics)}; name them as metrics.<name>.`,
});

const listed = (metrics: readonly Pick<Metric, 'key' | 'value'>[]): string =>
  metrics.length === 0
    ? 'no metrics'
    : metrics
        .slice(0, 20)
        .map(({ key, value }) => `${key} = ${value}`)
        .join(', ');
