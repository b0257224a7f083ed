/** The one value in a JSON answer. Pure. */
import type { HttpAnswer } from './guarded-request.ts';
import { errorOf, type Reading } from './measurement.ts';

/**
 * @param path names and places after `$`, such as `{$.data.ok}` or `$.rates[0]['p99']`; the whole
 *   answer where it is left out
 */
export const readWeb =
  (path: string | undefined) =>
  ({ status, body }: HttpAnswer): Reading => {
    if (status < 200 || status > 299) return errorOf(`it answered status ${status}`);
    let found: unknown;
    try {
      found = JSON.parse(body);
    } catch {
      return errorOf('its answer is not JSON');
    }
    const at = path === undefined ? 'its answer' : `its answer at ${path}`;
    for (const part of partsOf(path ?? '')) {
      if (!isIn(part, found)) return errorOf(`there is nothing in ${at}`);
      found = (found as Readonly<Record<string | number, unknown>>)[part];
    }
    return readingOf(found, at);
  };

const PART = /\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\['([^']+)'\]/g;

const partsOf = (path: string): readonly (string | number)[] =>
  [...path.matchAll(PART)].map(([, name, place, quoted]) =>
    place === undefined ? (name ?? quoted ?? '') : Number(place),
  );

const isIn = (part: string | number, value: unknown): boolean =>
  typeof part === 'number'
    ? Array.isArray(value) && part < value.length
    : typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.hasOwn(value, part);

const readingOf = (value: unknown, at: string): Reading => {
  if (typeof value === 'number' || typeof value === 'boolean') return { is: 'value', value };
  if (value === null) return { is: 'no-data', words: `${at} is null` };
  const what = Array.isArray(value) ? 'a list' : typeof value === 'string' ? 'a text' : 'an object';
  return errorOf(`${at} is ${what}, not a number, true or false`);
};
