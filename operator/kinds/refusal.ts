import { ApiError } from '../runtime/cluster.ts';
import { isQuota } from './quota-words.ts';

export type Refusal = {
  readonly reason: 'QuotaExceeded' | 'InvalidTemplate' | 'Forbidden';
  readonly words: string;
};

/** What a refused write says about the object that was written; undefined when it is about something else. */
export const refusalOf = (error: unknown): Refusal | undefined => {
  if (!(error instanceof ApiError)) return undefined;
  if (error.code === 422 || error.code === 400) {
    return { reason: 'InvalidTemplate', words: error.message };
  }
  if (error.code !== 403) return undefined;
  return { reason: isQuota(error.message) ? 'QuotaExceeded' : 'Forbidden', words: error.message };
};
