import { z } from 'zod';
import { count, text, time } from './fields.ts';

const side = (description: string) =>
  z
    .strictObject({
      version: text('Its version.', 63),
      errors: count('Answers of the pairs with a status of 400 and more.'),
      p50Ms: z.number().describe('Half of them took no longer, in milliseconds.').optional(),
      p99Ms: z.number().describe('99 % of them took no longer, in milliseconds.').optional(),
    })
    .describe(description);

export const shadowStatus = z
  .strictObject({
    since: time('From when on requests count.'),
    pairs: count('Requests that both versions answered, by their x-request-id.'),
    compared: count('Of the latest pairs, those whose outputs were compared.'),
    agreeing: count('Of the compared: every output the same, numbers within 1e-8 + 1e-5 of them.'),
    agreement: z.number().describe('The share of them, from 0 to 1.').optional(),
    maxRelative: z
      .number()
      .describe('Largest difference of two numbers, relative to the larger one.')
      .optional(),
    stable: side('The version that answered.'),
    candidate: side('The version that got copies.'),
  })
  .describe(
    'What a version that gets copies of requests answered beside the one that serves; the whole report is at /shadow-report of the API. Needs predictor.logger with mode all or response.',
  );
