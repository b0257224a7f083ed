import type { FastifyRequest } from 'fastify';
import { experiment, type Experiment } from '../../../crds/schema/experiment.ts';
import { requiredObject } from '../../api/required-object.ts';
import { identityOf } from '../../api/route-context.ts';
import type { RouteContext } from '../../api/route-context.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';

const EXPERIMENT = ownType(experiment);

/** The Experiment, for those who may get it. Throws Problem Forbidden, NotFound. */
export const experimentOf = async (
  request: FastifyRequest<{ Params: ObjectKey }>,
  context: RouteContext,
): Promise<Experiment> => {
  const { namespace, name } = request.params;
  const action = { verb: 'get', resource: EXPERIMENT.plural, namespace, name } as const;
  await context.access.require(identityOf(request), action);
  return requiredObject<Experiment>(context, EXPERIMENT, request.params);
};

export const uidOf = async (
  request: FastifyRequest<{ Params: ObjectKey }>,
  context: RouteContext,
): Promise<string> => (await experimentOf(request, context)).metadata.uid;
