import type { ABTest } from '../../../crds/schema/ab-test.ts';
import type { TestScope } from './outcome-store.ts';
import { CONTROL, isBandit } from './test-plan.ts';

/** What of a test's numbers depends on the object; the same for whoever reads or writes them. */
export const scopeOf = ({ metadata, spec }: ABTest): TestScope => ({
  uid: metadata.uid,
  namespace: metadata.namespace,
  name: metadata.name,
  deployment: spec.deploymentRef.name,
  since: metadata.creationTimestamp,
  variants: [CONTROL, ...spec.candidates.map(({ name }) => name)],
  moves: isBandit(spec),
});
