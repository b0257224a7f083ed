/** What jest writes of a run, as far as it is needed here. */
export type JestReport = {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly duration?: number | null;
    }[];
  }[];
};

/** What a test measured on the way. */
export type Note = { readonly caseNumber: number; readonly text: string };

const NUMBER = /^(\d+): /;

/** One line a case (its number, what was done, how it went, what was measured) and `N/N`. */
export const faultTable = (report: JestReport, notes: readonly Note[]): string => {
  const cases = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    // What a filter left out was not run; it is no case of this run.
    .filter(({ status }) => status !== 'pending')
    .map(({ title, status, duration }) => ({
      number: Number(NUMBER.exec(title)?.[1] ?? Number.NaN),
      title: title.replace(NUMBER, ''),
      status,
      seconds: (duration ?? 0) / 1000,
    }))
    .toSorted((a, b) => a.number - b.number);
  const unloaded = report.testResults.filter(
    ({ assertionResults, message }) => assertionResults.length === 0 && message !== '',
  );
  const rows = cases.map(({ number, title, status, seconds }) => {
    const measured = notes.filter(({ caseNumber }) => caseNumber === number);
    const lines = measured.map(({ text }) => `\n${' '.repeat(24)}${text}`).join('');
    return `${String(number).padStart(4)}  ${status.padEnd(7)} ${seconds.toFixed(1).padStart(6)} s  ${title}${lines}`;
  });
  const passed = cases.filter(({ status }) => status === 'passed').length;
  return [
    'case  result      time  what was done',
    ...rows,
    ...unloaded.map(({ name }) => `      failed              ${name} did not load`),
    `${passed}/${cases.length + unloaded.length} fault cases`,
  ].join('\n');
};
