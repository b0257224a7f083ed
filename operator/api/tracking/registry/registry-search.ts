import type { FastifyInstance } from 'fastify';
import { ANNOTATIONS } from '../../../../crds/schema/names.ts';
import type { Model } from '../../../../crds/schema/model.ts';
import { identityOf } from '../../route-context.ts';
import type { RouteContext } from '../../route-context.ts';
import { MlflowError } from '../mlflow-error.ts';
import { clientNameOf } from '../object-names.ts';
import type { Call } from '../object-writes.ts';
import { createdAt, updatedAt } from '../object-times.ts';
import { inOrder, parseFilter, parseOrder } from '../run-filter.ts';
import type { Order, Searchable } from '../run-filter.ts';
import { slice } from '../slice.ts';
import { requireNamespace } from '../tracking-access.ts';
import { MODEL, belongingsOf, listAll } from './registry-objects.ts';
import type { Registered } from './registry-objects.ts';
import { SEARCH_BODY } from './registry-schemas.ts';
import { listedVersion, modelToWire } from './registry-wire.ts';
import type { NumberedVersion } from './version-numbers.ts';
import { operationsOf } from '../operation.ts';

type Search = {
  readonly filter?: string;
  readonly max_results?: number;
  readonly order_by?: readonly string[] | string;
  readonly page_token?: string;
};

const documented = operationsOf('mlflow registry');

const MODELS_PAGE = { usual: 100, most: 1000 };
const VERSIONS_PAGE = { usual: 10_000, most: 200_000 };
const MODEL_FIELDS = { attributes: ['name'], entities: ['tags'] } as const;
const MODEL_ORDERS = new Set(['name', 'creation_timestamp', 'timestamp', 'last_updated_timestamp']);
const VERSION_FIELDS = {
  attributes: ['name', 'version_number', 'run_id', 'source_path'],
  entities: ['tags'],
} as const;
const VERSION_ORDERS = new Set([
  ...['name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'],
]);

/** Searches of Models and ModelVersions in the caller's namespace. */
export const registrySearchRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Querystring: Search }>(
    '/api/2.0/mlflow/registered-models/search',
    {
      schema: { ...documented('searchRegisteredModels', 'Find Models'), querystring: SEARCH_BODY },
    },
    async (request) => {
      const { query } = request;
      const matches = parseFilter(query.filter ?? '', MODEL_FIELDS);
      const orders = ordersOf(query, MODEL_ORDERS, ['name ASC']);
      const limit = limitOf(query, MODELS_PAGE);
      const found = (await allRegistered({ context, request })).filter((each) =>
        matches(searchableModel(each)),
      );
      const ordered = inOrder(found, orders, searchableModel);
      const { items, next } = slice(ordered, query.page_token, limit);
      return { registered_models: items.map(modelToWire), ...next };
    },
  );
  app.get<{ Querystring: Search }>(
    '/api/2.0/mlflow/model-versions/search',
    {
      schema: { ...documented('searchModelVersions', 'Find versions'), querystring: SEARCH_BODY },
    },
    async (request) => {
      const { query } = request;
      const matches = parseFilter(query.filter ?? '', VERSION_FIELDS);
      const orders = ordersOf(query, VERSION_ORDERS, [
        ...['last_updated_timestamp DESC', 'name ASC', 'version_number DESC'],
      ]);
      const limit = limitOf(query, VERSIONS_PAGE);
      const found = (await allRegistered({ context, request }))
        .flatMap((all) => all.versions.map((version) => ({ all, version })))
        .filter((each) => matches(searchableVersion(each)));
      const ordered = inOrder(found, orders, searchableVersion);
      const { items, next } = slice(ordered, query.page_token, limit);
      return {
        model_versions: items.map(({ all, version }) => listedVersion(all, version)),
        ...next,
      };
    },
  );
};

const limitOf = (
  { max_results: limit }: Search,
  { usual, most }: { readonly usual: number; readonly most: number },
): number => {
  if (limit === undefined) return usual;
  if (limit >= 1 && limit <= most) return limit;
  throw new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `Invalid value ${limit} for parameter 'max_results': it must be a number from 1 to ${most}.`,
  );
};

const ordersOf = (
  { order_by: given }: Search,
  fields: ReadonlySet<string>,
  usual: readonly string[],
): readonly Order[] => {
  const clauses = typeof given === 'string' ? [given] : (given ?? []);
  return [...clauses, ...usual].map((clause) => {
    const order = parseOrder(clause);
    if (order.entity === 'attributes' && fields.has(order.key)) return order;
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `Invalid order_by clause '${clause.slice(0, 256)}': order by one of ${[...fields].join(', ')}.`,
    );
  });
};

const allRegistered = async (call: Call): Promise<readonly Registered[]> => {
  const namespace = requireNamespace(call.request);
  const action = { verb: 'list', resource: MODEL.plural, namespace } as const;
  await call.context.access.require(identityOf(call.request), action);
  const models = await listAll<Model>(call.context, MODEL, namespace);
  const all: Registered[] = [];
  // One after the other: versions without a number get one on the way.
  for (const model of models) all.push(await belongingsOf(call, model));
  return all;
};

/** Clients leave prompts out with `!= 'true'`, which MLflow lets hold for models without the tag. */
const NO_PROMPT = { 'mlflow.prompt.is_prompt': 'false' };

const searchableModel = ({ model }: Registered): Searchable => ({
  attributes: {
    name: clientNameOf(model),
    creation_timestamp: createdAt(model),
    timestamp: updatedAt(model),
    last_updated_timestamp: updatedAt(model),
  },
  metrics: {},
  params: {},
  tags: { ...NO_PROMPT, ...model.spec.tags },
});

type Found = { readonly all: Registered; readonly version: NumberedVersion };

const searchableVersion = ({ all, version: { number, object } }: Found): Searchable => ({
  attributes: {
    name: clientNameOf(all.model),
    version_number: number,
    run_id: object.spec.source?.runId,
    source_path: object.metadata.annotations?.[ANNOTATIONS.mlflowSource],
    creation_timestamp: createdAt(object),
    last_updated_timestamp: updatedAt(object),
  },
  metrics: {},
  params: {},
  tags: { ...NO_PROMPT, ...object.spec.tags },
});
