/**
 * Whether an object's fields satisfy an equality selector: `a.b=x`, `a.b!=x`, joined by commas. A
 * field that is not there counts as empty. Which fields may be selected, only the API server knows.
 */
export const matchesFields = (selector: string | undefined, object: object): boolean =>
  (selector ?? '')
    .split(',')
    .map((term) => term.trim())
    .filter((term) => term !== '')
    .every((term) => matchesTerm(term, object));

const matchesTerm = (term: string, object: object): boolean => {
  const [, path = '', operator, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? [];
  return (fieldOf(object, path) === value) === (operator !== '!=');
};

const fieldOf = (object: object, path: string): string => {
  const found = path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null
          ? (value as Readonly<Record<string, unknown>>)[name]
          : undefined,
      object,
    );
  return typeof found === 'string' ? found : '';
};
