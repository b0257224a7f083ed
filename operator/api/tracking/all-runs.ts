import type { Run, RunListing, RunStore } from '../../kinds/experiment/run-store.ts';
import { MlflowError } from './mlflow-error.ts';

const PAGE = 1000;
const MAX_SCANNED = 20_000;

/** Every run of a listing, for filters and orders that the store does not know. */
export const allRuns = async (runs: RunStore, listing: RunListing): Promise<readonly Run[]> => {
  const all: Run[] = [];
  let cursor: string | undefined;
  do {
    const page = await runs.listRuns({
      ...listing,
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    all.push(...page.runs);
    cursor = page.nextCursor;
    if (all.length > MAX_SCANNED) {
      throw new MlflowError(
        'INVALID_PARAMETER_VALUE',
        `More than ${MAX_SCANNED} runs would have to be looked at; search fewer Experiments at once.`,
      );
    }
  } while (cursor !== undefined);
  return all;
};
