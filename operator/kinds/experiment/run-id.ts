import { createHash } from 'node:crypto';

/**
 * The run of a trial: the same experiment and number give the same id, so that a trial that is
 * started again after a crash goes on logging to the same row. 32 hex digits, as MLflow's are.
 */
export const trialRunId = (experimentUid: string, trialNumber: number | 'final'): string =>
  createHash('sha256').update(`${experimentUid}/${trialNumber}`).digest('hex').slice(0, 32);
