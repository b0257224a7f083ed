import { findCondition } from '../../../crds/schema/conditions.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { StatedCondition } from '../../runtime/reconciler.ts';
import { restated, type Particulars } from '../outcome.ts';

/** What was read before, and what was said about it, for passes that find out nothing about the bytes. */
export const aside = (version: ModelVersion): Particulars => ({
  status: knownOf(version),
  conditions: ['ArtifactVerified', 'Approved'].flatMap((type) => conditionOf(version, type)),
});

/** The fields of status that reading filled in. */
export const knownOf = ({ status }: ModelVersion): Readonly<Record<string, unknown>> => ({
  ...(status?.digest === undefined ? {} : { digest: status.digest }),
  ...(status?.sizeBytes === undefined ? {} : { sizeBytes: status.sizeBytes }),
  ...(status?.inputs === undefined ? {} : { inputs: status.inputs }),
  ...(status?.outputs === undefined ? {} : { outputs: status.outputs }),
});

const conditionOf = (version: ModelVersion, wanted: string): readonly StatedCondition[] => {
  const found = findCondition(version.status?.conditions, wanted);
  return found === undefined ? [] : [restated(found)];
};
