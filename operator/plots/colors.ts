/** Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), told apart by nearly everyone. */
export const COLORS = {
  blue: '#0072b2',
  orange: '#e69f00',
  vermillion: '#d55e00',
  green: '#009e73',
  gray: '#999999',
} as const;

/** From the worst to the best; blue and orange differ in any common colour blindness. */
const RAMP = [
  [230, 159, 0],
  [153, 153, 153],
  [0, 114, 178],
] as const;

/** `goodness` 0 is the worst, 1 the best; both ends can be seen on white and on black. */
export const goodnessColor = (goodness: number): string => {
  const part = Math.max(0, Math.min(1, goodness)) * 2;
  const [from, to] = part < 1 ? [RAMP[0], RAMP[1]] : [RAMP[1], RAMP[2]];
  const rest = part < 1 ? part : part - 1;
  const hex = from.map((each, index) =>
    Math.round(each + ((to[index] ?? each) - each) * rest)
      .toString(16)
      .padStart(2, '0'),
  );
  return `#${hex.join('')}`;
};
