import { z } from 'zod';
import { fragment } from './pod.ts';

/** A metric that a program finds out. */
export const jobMetric = z
  .strictObject({
    spec: fragment(
      'spec of the Job, as in batch/v1; the placeholders of prometheus.query are filled in in every text. Left out, backoffLimit is 0 and activeDeadlineSeconds 3600.',
    ),
  })
  .describe(
    "Run in this namespace once for each share of the traffic: a Job that succeeds is good, one that fails is bad, with its pod's last words as the reason. It may mount Secrets.",
  );
