/** When which weights hold: noted as soon as they are routed, and as soon as they no longer are. */
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import { askedOf, sameWeights, startWeights } from './bandit.ts';
import type { Weights } from './measurement.ts';
import { CONTROL } from './test-plan.ts';

/** What is asked for, where the Deployment routes just that. A candidate without pods is not in its status. */
export const routedSplit = (
  test: ABTest,
  deployment: Deployment | undefined,
): Weights | undefined => {
  const asked = askedOf(test);
  if (asked === undefined || deployment === undefined) return undefined;
  const routed = Object.fromEntries(
    (deployment.status?.weights ?? [])
      .filter(({ name }) => name in startWeights(test.spec) && name !== CONTROL)
      .map(({ name, weight }) => [name, weight]),
  );
  const { [CONTROL]: _rest, ...candidates } = asked;
  return sameWeights(candidates, routed) ? asked : undefined;
};
