/** Forms of settings that several rooms read. */
import { z } from 'zod';

export const httpUrl = z
  .string()
  .refine((value) => /^https?:\/\//.test(value) && URL.canParse(value), 'is not an http(s) URL');

export const share = z
  .string()
  .transform((value) => (value.trim() === '' ? Number.NaN : Number(value)))
  .refine((value) => value >= 0 && value <= 1, 'is not a share from 0 to 1');
