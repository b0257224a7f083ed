import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `e2e/faults/main.ts` tells the tests. */
export const settings = {
  /** Full lengths and counts instead of those for CI. */
  soak: process.env['SOAK'] === '1',
  /** Logs of operators stay, for whoever looks into a failure. */
  logs: join(import.meta.dirname, '../../../.build/faults/logs'),
  operator: process.env['FAULTS_OPERATOR'] ?? join(import.meta.dirname, '../../workload/main.ts'),
};

/** The figure for CI, or the whole one with SOAK=1. */
export const figure = <T>(inCi: T, whole: T): T => (settings.soak ? whole : inCi);

/** A line for the table at the end of the run, beside the case of this number. */
export const note = (caseNumber: number, text: string): void => {
  const file = process.env['FAULTS_NOTES'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ caseNumber, text })}\n`);
};
