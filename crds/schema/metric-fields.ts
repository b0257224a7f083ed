import { z } from 'zod';
import { shaped } from './rules.ts';

/** Field types that more than one source of metrics uses. */

export const httpAddress = (description: string) =>
  shaped(
    z.string().min(1).max(2048).describe(description),
    /^https?:\/\/[^\s/?#@\\]+([/?#]\S*)?$/,
    'must begin with http:// or https:// and hold no user, password or spaces',
  );

export const probeTimeout = shaped(
  z
    .string()
    .min(1)
    .max(8)
    .describe('How long an answer may take, from 1ms to 30s; left out, 5s. Later is no data.'),
  /^([1-9][0-9]{0,3}ms|([1-9]|[12][0-9]|30)s)$/,
  'must be from 1ms to 30s, such as 500ms or 5s',
);
