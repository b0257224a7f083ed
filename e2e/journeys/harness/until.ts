const POLL_MS = 500;

/**
 * Looks every half second until there is something to return; fails when the deadline has passed,
 * with the last error if looking itself failed, and with what `story` tells.
 */
export const until = async <T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined>,
  story: () => Promise<string> = async () => '',
): Promise<T> => {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    let problem = '';
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() > deadline) {
      throw new Error(`waited ${seconds} s for ${what}\n${problem}\n${await story()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};
