/** What the search service answers, checked: it is another program, of another version perhaps. */
import { z } from 'zod';

const assignment = z.object({ name: z.string(), value: z.string() });

export const drawnAnswer = z.discriminatedUnion('state', [
  z.object({ state: z.literal('drawn'), assignments: z.array(assignment) }),
  z.object({ state: z.literal('exhausted') }),
]);

export const reportAnswer = z.object({ prune: z.boolean() });

export const importanceAnswer = z.object({
  evaluator: z.string(),
  importances: z.array(z.object({ parameter: z.string(), importance: z.number().min(0) })),
});

export const studiesAnswer = z.object({ studies: z.array(z.string()) });

/** RFC 9457; `next` beside StudyBehind is the trial to ask for next. */
export const problemAnswer = z.object({
  reason: z.string(),
  detail: z.string(),
  next: z.int().min(0).optional(),
});

export type ProblemAnswer = z.infer<typeof problemAnswer>;

const REFUSALS = [
  'AlgorithmNotInstalled',
  'InvalidSearchSpace',
  'InvalidAlgorithmSetting',
] as const;

/** Answers with these say that the user's definition can't be searched. */
export const refusalReason = z.enum(REFUSALS);
