import { findCondition } from '../../../../crds/schema/conditions.ts';
import { experiment, type Experiment } from '../../../../crds/schema/experiment.ts';
import { until } from '../../../../e2e/faults/harness/until.ts';
import type { Cluster } from '../../../runtime/cluster.ts';
import { ownType } from '../../../runtime/own-type.ts';
import type { ObjectKey } from '../../../runtime/resource-type.ts';

const EXPERIMENT = ownType(experiment);

/** The message of its condition Ready, once that has the reason. */
export const readyFor = (
  cluster: Pick<Cluster, 'get'>,
  key: ObjectKey,
  { reason, seconds }: { readonly reason: string; readonly seconds: number },
): Promise<string> =>
  until(`${key.name} ${reason}`, seconds, async () => {
    const found = await cluster.get<Experiment>(EXPERIMENT, key);
    const condition = findCondition(found?.status?.conditions, 'Ready');
    return condition?.reason === reason ? condition.message : undefined;
  });
