/** Rows as columns, two spaces apart, each as wide as its longest cell. Pure. */
export const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const shown = rows.map((row) => row.map(printable));
  const widths = shown.reduce<readonly number[]>(
    (before, row) => row.map((cell, index) => Math.max(before[index] ?? 0, cell.length)),
    [],
  );
  return shown.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};

/** Names are other people's words: none of them may steer the terminal. */
export const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');

/** Four significant digits, as they are read best. */
export const short = (value: number): string => String(Number(value.toPrecision(4)));
