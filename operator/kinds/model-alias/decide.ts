import { findCondition } from '../../../crds/schema/conditions.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { Outcome } from '../../runtime/reconciler.ts';
import { isReady } from '../model-versions.ts';
import { ready, settled, stalled, working } from '../outcome.ts';

export type Observation = {
  readonly alias: ModelAlias;
  readonly modelExists: boolean;
  /** The ModelVersion that holds the version the alias names. */
  readonly version: ModelVersion | undefined;
};

/** An alias is as good as the version it names. */
export const decide = ({ alias, modelExists, version }: Observation): Outcome => {
  const { modelRef, version: wanted } = alias.spec;
  if (modelRef.namespace !== undefined && modelRef.namespace !== alias.metadata.namespace) {
    return stalled(
      ready(
        'False',
        'NotShared',
        `spec.modelRef.namespace is ${modelRef.namespace}: an alias belongs to a Model of its own namespace; leave the field out.`,
      ),
    );
  }
  if (version === undefined) {
    return modelExists
      ? working(
          ready(
            'False',
            'VersionNotFound',
            `Model ${modelRef.name} has no version ${wanted}; create a ModelVersion with it, or change spec.version.`,
          ),
        )
      : working(
          ready(
            'False',
            'ModelNotFound',
            `There is no Model ${modelRef.name} in namespace ${alias.metadata.namespace}; create it, or change spec.modelRef.`,
          ),
        );
  }
  const status = { version: version.spec.version, modelVersionName: version.metadata.name };
  if (!isReady(version)) {
    const why = findCondition(version.status?.conditions, 'Ready');
    return working(
      ready(
        'False',
        'WaitingForVersion',
        `ModelVersion ${version.metadata.name} is not Ready${why === undefined ? '' : ` (${why.reason}: ${why.message})`}.`,
      ),
      { status },
    );
  }
  return settled(
    ready(
      'True',
      'Ready',
      `${alias.spec.alias} is version ${wanted} (ModelVersion ${version.metadata.name}).`,
    ),
    { status },
  );
};
