import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;

/** Looks until `look` returns something; fails after `seconds` with what it saw or threw last. */
export const until = async <T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined>,
): Promise<T> => {
  const deadline = performance.now() + seconds * 1000;
  let problem: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    if (performance.now() > deadline)
      throw new Error(`Waited ${seconds} s for ${what}.`, { cause: problem });
    await delay(POLL_MS);
  }
};
