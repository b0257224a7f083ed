/** Adjusted p-values, in the order given: reject where one is at most alpha. */

/** Holm 1979, step-down: bounds the chance of any false discovery, whatever the dependence. */
export const holm = (pValues: readonly number[]): readonly number[] => {
  const count = pValues.length;
  let greatest = 0;
  return inOrder(pValues, (p, rank) => {
    greatest = Math.max(greatest, Math.min(1, (count - rank) * p));
    return greatest;
  });
};

/**
 * Benjamini & Hochberg 1995, step-up: bounds the expected share of false ones among the discoveries,
 * for tests that are independent or positively dependent.
 */
export const benjaminiHochberg = (pValues: readonly number[]): readonly number[] => {
  const count = pValues.length;
  let least = 1;
  const step = (p: number, rankFromTop: number): number => {
    least = Math.min(least, (count / (count - rankFromTop)) * p);
    return least;
  };
  return inOrder(
    pValues.map((p) => -p),
    (negated, rank) => step(-negated, rank),
  );
};

/** What `adjust` makes of the values in ascending order, put back where they came from. */
const inOrder = (
  values: readonly number[],
  adjust: (value: number, rank: number) => number,
): readonly number[] => {
  const adjusted = values.map(() => 1);
  const ascending = values.map((value, index) => ({ value, index }));
  ascending.sort((a, b) => a.value - b.value);
  ascending.forEach(({ value, index }, rank) => {
    adjusted[index] = adjust(value, rank);
  });
  return adjusted;
};
