import type { FastifyRequest } from 'fastify';
import { experiment, type Experiment } from '../../../crds/schema/experiment.ts';
import { requiredObject } from '../../api/required-object.ts';
import { identityOf } from '../../api/route-context.ts';
import type { RouteContext } from '../../api/route-context.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';

const EXPERIMENT = ownType(experiment);

/** The uid of the Experiment, for those who may get it. */
export const uidOf = async (
  request: FastifyRequest<{ Params: ObjectKey }>,
  context: RouteContext,
): Promise<string> => {
  const { namespace, name } = request.params;
  const action = { verb: 'get', resource: EXPERIMENT.plural, namespace, name } as const;
  await context.access.require(identityOf(request), action);
  return (await requiredObject<Experiment>(context, EXPERIMENT, request.params)).metadata.uid;
};
