/**
 * Whether labels satisfy an equality selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, joined by commas.
 * Set expressions (`in (…)`) are not used here.
 */
export const matchesLabels = (
  selector: string | undefined,
  labels: Readonly<Record<string, string>> = {},
): boolean =>
  (selector ?? '')
    .split(',')
    .map((term) => term.trim())
    .filter((term) => term !== '')
    .every((term) => matchesTerm(term, labels));

const matchesTerm = (term: string, labels: Readonly<Record<string, string>>): boolean => {
  const [, name = '', operator, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? [];
  if (operator === '!=') return labels[name] !== value;
  if (operator !== undefined) return labels[name] === value;
  return term.startsWith('!') ? !(term.slice(1) in labels) : term in labels;
};
