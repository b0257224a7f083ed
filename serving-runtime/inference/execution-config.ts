/** Settings of how a model computes. */
import { z } from 'zod';
import { parseDuration } from '../protocol/duration.ts';
import type { ExecutionSettings } from './served-model.ts';

const number = (least: number, most: number) =>
  z
    .string()
    .regex(/^[0-9]{1,9}$/, 'is not a whole number')
    .transform(Number)
    .refine(
      (value) => value >= least && value <= most,
      `is not from ${String(least)} to ${String(most)}`,
    );
const duration = z.string().transform((value, context) => {
  const milliseconds = parseDuration(value);
  if (milliseconds !== undefined) return milliseconds;
  context.addIssue({ code: 'custom', message: 'is not a duration such as 2ms or 10s' });
  return z.NEVER;
});

/** The part of the environment that is read here. */
export const executionVariables = {
  MLOPS_BATCH_MAX_ROWS: number(1, 65_536).default(1),
  MLOPS_BATCH_MAX_LATENCY: duration.default(2),
  MLOPS_BREAKER_FAILURE_PERCENT: number(1, 100).optional(),
  MLOPS_BREAKER_MIN_REQUESTS: number(1, 1_000_000).default(20),
  MLOPS_BREAKER_WINDOW: duration.default(10_000),
  MLOPS_BREAKER_OPEN_FOR: duration.default(5_000),
};

type Variables = z.infer<z.ZodObject<typeof executionVariables>>;

export function readExecution(values: Variables): ExecutionSettings {
  const percent = values.MLOPS_BREAKER_FAILURE_PERCENT;
  return {
    batch: { maxRows: values.MLOPS_BATCH_MAX_ROWS, maxWaitMs: values.MLOPS_BATCH_MAX_LATENCY },
    breaker:
      percent === undefined
        ? undefined
        : {
            failureShare: percent / 100,
            minRequests: values.MLOPS_BREAKER_MIN_REQUESTS,
            windowMs: values.MLOPS_BREAKER_WINDOW,
            openMs: values.MLOPS_BREAKER_OPEN_FOR,
          },
  };
}
