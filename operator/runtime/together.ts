/**
 * Does several things side by side and waits for all of them, then throws the first failure. What
 * succeeded stays done, and nothing runs on behind the back of a pass that has ended.
 */
export const together = async <T extends readonly unknown[]>(
  work: readonly [...{ readonly [Index in keyof T]: Promise<T[Index]> }],
): Promise<T> => {
  const all: readonly Promise<unknown>[] = work;
  const results = await Promise.allSettled(all);
  for (const each of results) if (each.status === 'rejected') throw each.reason;
  return results.map((each) => (each.status === 'fulfilled' ? each.value : undefined)) as never;
};
