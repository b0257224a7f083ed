import type { Comparison } from './comparison.ts';

const ID_SHOWN = 8;

/** How each group is called on the page: a run that is a group by itself by its name, not its id. Pure. */
export const groupNames = ({ groups }: Comparison): ((group: string) => string) => {
  const names = new Map<string, string>();
  for (const { name, runs } of groups) {
    const [only] = runs;
    names.set(name, only?.runId === name && only.name !== '' ? only.name : name);
  }
  const taken = [...names.values()];
  return (group) => {
    const name = names.get(group) ?? group;
    const isAlone = taken.indexOf(name) === taken.lastIndexOf(name);
    return isAlone ? name : `${name} (${group.slice(0, ID_SHOWN)})`;
  };
};
