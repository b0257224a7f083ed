/**
 * The samples of a few metrics out of Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
 *
 * Written here because the package for it on npm (parse-prometheus-text-format 1.1.1, of 2024, no
 * types) keeps every metric of the answer and leaves numbers and histograms as strings that it has
 * not looked at; what a tenant's pod answers must be looked at anyway, and the rest need not be kept.
 */
export type Sample = {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** As it stands there. */
  readonly value: string;
};

/** Longer lines are refused: the runtime's own are of some hundred characters. */
const MAX_LINE = 4096;

const nameAtStart = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const label = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,|(?=\}))/y;
const valueAndTime = /^[ \t]+(\S+)(?:[ \t]+-?[0-9]+)?[ \t]*$/;

/** The samples with one of these names, in order; throws for one that is not well-formed. */
export const samplesOf = (text: string, names: ReadonlySet<string>): readonly Sample[] => {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const name = nameAtStart.exec(line)?.[0];
    if (name !== undefined && names.has(name)) samples.push(sampleOf(line, name));
  }
  return samples;
};

/** Whether the text speaks of the metric, if only to say that there are no samples of it yet. */
export const announces = (text: string, name: string, type: string): boolean =>
  text.startsWith(`# TYPE ${name} ${type}\n`) || text.includes(`\n# TYPE ${name} ${type}\n`);

const sampleOf = (line: string, name: string): Sample => {
  if (line.length > MAX_LINE) {
    throw new Error(`${name}: a line of ${line.length} characters, over ${MAX_LINE}`);
  }
  const labels = new Map<string, string>();
  const end = line[name.length] === '{' ? readLabels(line, name.length + 1, labels) : name.length;
  const value = end === undefined ? undefined : valueAndTime.exec(line.slice(end))?.[1];
  if (value === undefined) {
    throw new Error(`${name}: not a sample in Prometheus' text format: ${line.slice(0, 200)}`);
  }
  return { name, labels, value };
};

/** Reads labels into `into`; the place behind the closing brace, or undefined where there is none. */
const readLabels = (line: string, from: number, into: Map<string, string>): number | undefined => {
  let at = from;
  for (;;) {
    if (line[at] === '}') return at + 1;
    label.lastIndex = at;
    const found = label.exec(line);
    if (found === null) return undefined;
    into.set(found[1] ?? '', unescaped(found[2] ?? ''));
    at = label.lastIndex;
  }
};

const unescaped = (value: string): string =>
  value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
