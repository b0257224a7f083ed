import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { Outcome } from '../../runtime/reconciler.ts';
import { isReady, latestOf } from '../model-versions.ts';
import { ready, settled } from '../outcome.ts';

export type Observation = {
  readonly versions: readonly ModelVersion[];
  readonly aliases: readonly ModelAlias[];
};

/** A Model is a record: it is Ready once what belongs to it is counted. */
export const decide = ({ versions, aliases }: Observation): Outcome => {
  const usable = versions.filter(isReady).map(({ spec }) => spec.version);
  const latestVersion = latestOf(usable);
  return settled(ready('True', 'Accepted', summary(versions.length, usable.length)), {
    status: {
      versions: versions.length,
      ...(latestVersion === undefined ? {} : { latestVersion }),
      aliases: aliases
        .map(({ spec }) => ({ name: spec.alias, version: spec.version }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    },
  });
};

const summary = (total: number, usable: number): string => {
  if (total === 0) {
    return 'The Model has no versions yet; an Experiment with register or a ModelVersion adds one.';
  }
  return `The Model has ${total} version(s), ${usable} of them Ready.`;
};
