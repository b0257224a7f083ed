import type { RunGroup } from './compare-groups.ts';

export type ParamDifference = {
  readonly name: string;
  readonly values: readonly {
    readonly group: string;
    /** Those there are among its runs, each once, sorted; long ones cut. */
    readonly values: readonly string[];
    /** Runs without this param. */
    readonly missing: number;
  }[];
};

/** A param holds up to 6000 characters; so many are shown. */
const SHOWN = 250;
export const MOST_PARAMS = 200;

/** Params whose values are not the same in every group, by name; at most 200, and how many there are. */
export const differingParams = (
  groups: readonly RunGroup[],
): { readonly params: readonly ParamDifference[]; readonly differing: number } => {
  const names = new Set(
    groups.flatMap(({ runs }) => runs.flatMap(({ params }) => Object.keys(params))),
  );
  const differing = [...names].toSorted().flatMap((name) => {
    const values = groups.map((group) => ({ group: group.name, ...valuesIn(group, name) }));
    const kinds = new Set(values.map((each) => JSON.stringify([each.values, each.missing > 0])));
    return kinds.size < 2 ? [] : [{ name, values }];
  });
  return { params: differing.slice(0, MOST_PARAMS).map(cut), differing: differing.length };
};

const valuesIn = ({ runs }: RunGroup, name: string) => {
  const having = runs.filter(({ params }) => Object.hasOwn(params, name));
  return {
    values: [...new Set(having.map(({ params }) => params[name] ?? ''))].toSorted(),
    missing: runs.length - having.length,
  };
};

const cut = ({ name, values }: ParamDifference): ParamDifference => ({
  name,
  values: values.map((each) => ({
    ...each,
    values: each.values.map((value) =>
      value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value,
    ),
  })),
});
