/** What was found out by asking once. */
export type Reading =
  | {
      readonly is: 'value';
      readonly value: number | boolean;
      /** What there is to say beside the value. */
      readonly words?: string;
    }
  /** Asked and answered, but there is nothing to judge (yet). */
  | { readonly is: 'no-data'; readonly words: string }
  /** No answer, or one that cannot be understood. */
  | { readonly is: 'error'; readonly words: string };

export type Measurement = {
  /** When it was asked, in milliseconds since the epoch. */
  readonly at: number;
  readonly reading: Reading;
};

export const errorOf = (words: string): Reading => ({ is: 'error', words });
