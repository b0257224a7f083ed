import type { KindDefinition } from '../../../crds/schema/resource.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Reconciler } from '../../runtime/reconciler.ts';
import { ready, settled } from '../outcome.ts';

/** The controller of a kind that is stored and validated, but not acted on in this release. */
export const notImplementedReconciler = (
  definition: Pick<KindDefinition, 'kind' | 'plural'>,
): Reconciler => ({
  type: ownType(definition),
  fieldManager: `mlops-${definition.kind.toLowerCase()}`,
  owns: [],
  watches: [],
  permissions: [],
  reconcile: async () =>
    settled(
      ready(
        'Unknown',
        'NotImplemented',
        `This release stores and validates ${definition.kind} objects, but does nothing with them: nothing is started and nothing will change until a release that has a controller for them is installed.`,
      ),
    ),
});
