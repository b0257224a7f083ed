/** Values that are good, and how they are told. Pure. */

export type Range = { readonly min?: number | undefined; readonly max?: number | undefined };

export const isWithin = (value: number, { min = -Infinity, max = Infinity }: Range): boolean =>
  value >= min && value <= max;

export const wanted = ({ min, max }: Range, format: (value: number) => string): string => {
  const parts = [
    ...(min === undefined ? [] : [`at least ${format(min)}`]),
    ...(max === undefined ? [] : [`at most ${format(max)}`]),
  ];
  return `wanted ${parts.join(' and ')}`;
};

export const percent = (share: number): string => `${Number((100 * share).toPrecision(4))} %`;
/** Four digits tell enough. */
export const plain = (value: number): string => String(Number(value.toPrecision(4)));
