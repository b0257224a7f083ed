export type Attributes = Readonly<Record<string, string | number>>;

/** Characters that XML 1.0 does not allow, not even escaped (https://www.w3.org/TR/xml/#charsets). */
// eslint-disable-next-line no-control-regex
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Any text as it may stand between tags and in attributes. */
export const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(NOT_XML, '\ufffd')
    .replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '');

/** One element; `content` is markup: text goes through `words` or `tooltip`. */
export const element = (name: string, attributes: Attributes, content = ''): string => {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? pixels(value) : escaped(value)}"`,
  );
  return `<${name}${written.join('')}${content === '' ? '/>' : `>${content}</${name}>`}`;
};

/** Text of the drawing, cut to `most` letters. */
export const words = (text: string, attributes: Attributes, most = 80): string =>
  element('text', attributes, escaped(shortened(text, most)));

/** What is shown while the pointer rests on an element; its content. */
export const tooltip = (text: string): string => `<title>${escaped(shortened(text, 200))}</title>`;

export const shortened = (text: string, most: number): string => {
  const letters = [...text.slice(0, 2 * most + 2)];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join('')}…`;
};

/** A tenth of a pixel is as fine as anyone sees. */
export const pixels = (value: number): string => String(Math.round(value * 10) / 10);
