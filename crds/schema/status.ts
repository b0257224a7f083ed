import { z } from 'zod';
import { listMap, time } from './fields.ts';

const condition = z.strictObject({
  type: z
    .string()
    .max(316)
    .regex(
      /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
    )
    .describe('What is judged, such as Ready.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('True, False or Unknown.'),
  observedGeneration: z
    .int()
    .min(0)
    .describe('The metadata.generation this was judged for.')
    .optional(),
  lastTransitionTime: time('When status last changed.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('One word for programs.'),
  message: z.string().max(32768).describe('What is so, where, and what to do about it.'),
});

/** A status: what every kind has, and the kind's own fields. */
export function statusOf<Fields extends z.core.$ZodLooseShape>(fields: Fields) {
  return z
    .strictObject({
      observedGeneration: z
        .int()
        .min(0)
        .describe('The metadata.generation this status was written for.')
        .optional(),
      conditions: listMap(condition, 'What is judged about the object; Ready sums it up.', {
        max: 16,
        key: 'type',
      }).optional(),
      ...fields,
    })
    .describe('What the operator found; written by the operator only.');
}
