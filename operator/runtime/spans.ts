/**
 * Runs work inside a span of a trace, a child of the span around it. What the work throws is noted
 * on the span and thrown on.
 */
export type Spans = <T>(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  work: () => Promise<T>,
) => Promise<T>;

export const noSpans: Spans = (_name, _attributes, work) => work();
