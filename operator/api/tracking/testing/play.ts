import type { Step } from './conversation.ts';

/** An answer without what differs from one time to the next. */
export type Answer = { readonly status: number; readonly body: unknown };

export type Send = (
  method: string,
  path: string,
  body: object | undefined,
) => Promise<{ readonly status: number; readonly body: unknown }>;

/** Holds the conversation and gives the answers by the name of their step. */
export const play = async (
  steps: readonly Step[],
  send: Send,
): Promise<Readonly<Record<string, Answer>>> => {
  const known: Record<string, string> = {};
  const answers: Record<string, Answer> = {};
  for (const { name, call, body, keep = {} } of steps) {
    const [method, path] = call;
    const sent =
      body === undefined ? undefined : (JSON.parse(filled(JSON.stringify(body), known)) as object);
    const answer = await send(method, filled(path, known), sent);
    for (const [word, place] of Object.entries(keep)) known[word] = at(answer.body, place);
    answers[name] = { status: answer.status, body: plain(answer.body, known) };
  }
  return answers;
};

const filled = (text: string, known: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, word: string) => known[word] ?? whole);

const at = (body: unknown, place: string): string =>
  String(
    place
      .split('.')
      .reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], body),
  );

/** Times that the server took itself are larger than any that the conversation names. */
const LONG_AGO = 1_000_000_000_000;

const plain = (value: unknown, known: Readonly<Record<string, string>>, under = ''): unknown => {
  if (Array.isArray(value)) return inPlainOrder(value.map((each) => plain(each, known, under)));
  if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown>;
    // What went wrong is in the code; each server has words of its own.
    if ('error_code' in fields) return { error_code: fields['error_code'] };
    return Object.fromEntries(
      Object.entries(fields)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, each]) => [key, plain(each, known, key)]),
    );
  }
  if (typeof value === 'number') return value >= LONG_AGO ? '<time>' : value;
  return typeof value === 'string' ? plainText(value, known, under) : value;
};

/** Params, tags and aliases come in any order. */
const inPlainOrder = (list: readonly unknown[]): readonly unknown[] => {
  const word = (each: unknown): string | undefined => {
    const { key, alias } = each as { readonly key?: string; readonly alias?: string };
    return typeof each === 'object' ? (key ?? alias) : undefined;
  };
  return list.every((each) => word(each) !== undefined && !Object.hasOwn(each as object, 'step'))
    ? list.toSorted((a, b) => ((word(a) ?? '') < (word(b) ?? '') ? -1 : 1))
    : list;
};

/** Short ids, such as the numbers of MLflow's own experiments, are ids only in these places. */
const ID_PLACES: Readonly<Record<string, readonly string[]>> = {
  experiment_id: ['exp', 'free'],
  version: ['version', 'next'],
};
const LONG_ID = 16;
const LONG_TEXT = 200;

const plainText = (
  value: string,
  known: Readonly<Record<string, string>>,
  under: string,
): string => {
  if (value.startsWith('mlflow-artifacts:/')) return '<artifacts>';
  if (under === 'next_page_token') return '<page>';
  if (value.length > LONG_TEXT) return `<${value.length} characters>`;
  const words = Object.entries(known);
  const id = words.find(([word, each]) => ID_PLACES[under]?.includes(word) && each === value);
  if (id !== undefined) return `<${id[0]}>`;
  return words
    .filter(([, each]) => each.length >= LONG_ID)
    .toSorted(([, a], [, b]) => b.length - a.length)
    .reduce((text, [name, each]) => text.replaceAll(each, `<${name}>`), value);
};
