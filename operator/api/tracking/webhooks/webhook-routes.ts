import type { FastifyInstance, FastifyRequest } from 'fastify';
import { seal } from '../../../webhooks/seal.ts';
import type { Webhook } from '../../../webhooks/webhook-store.ts';
import { identityOf } from '../../route-context.ts';
import type { RouteContext } from '../../route-context.ts';
import { MlflowError } from '../mlflow-error.ts';
import { operationsOf } from '../operation.ts';
import { slice } from '../slice.ts';
import { requireNamespace } from '../tracking-access.ts';
import { testWebhook } from './test-webhook.ts';
import { LIST_WEBHOOKS, TEST_WEBHOOK, WEBHOOK_BODY, WEBHOOK_PARAMS } from './webhook-schemas.ts';
import {
  checkedEvent,
  checkedEvents,
  checkedWebhookName,
  checkedWebhookUrl,
  webhookToWire,
} from './webhook-wire.ts';
import type { WireEvent } from './webhook-wire.ts';

const BASE = '/api/2.0/mlflow/webhooks';
const ONE = `${BASE}/:webhookId`;
/** Each event costs a row for every webhook that wants it. */
const MAX_WEBHOOKS = 100;

type Params = { readonly webhookId: string };
type WebhookBody = {
  readonly name?: string;
  readonly url?: string;
  readonly description?: string;
  readonly events?: readonly WireEvent[];
  readonly secret?: string;
  readonly status?: 'ACTIVE' | 'DISABLED';
};
type Page = { readonly max_results?: number; readonly page_token?: string };

const documented = operationsOf('mlflow registry');

/**
 * Webhooks of a namespace's registry. Whoever may list its Models sees them, whoever may update its
 * Models changes them; their secrets are never shown.
 */
export const webhookRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.post<{ Body: WebhookBody }>(
    BASE,
    {
      schema: {
        ...documented('createWebhook', 'Have a URL told of changes of the registry'),
        body: WEBHOOK_BODY,
      },
    },
    async (request) => ({ webhook: await create(context, request) }),
  );
  app.get<{ Querystring: Page }>(
    BASE,
    {
      schema: {
        ...documented('listWebhooks', 'Webhooks, newest first'),
        querystring: LIST_WEBHOOKS,
      },
    },
    async (request) => list(context, request),
  );
  app.get<{ Params: Params }>(
    ONE,
    { schema: { ...documented('getWebhook', 'A webhook'), params: WEBHOOK_PARAMS } },
    async (request) => ({ webhook: webhookToWire(await one(context, request, 'list')) }),
  );
  app.patch<{ Params: Params; Body: WebhookBody }>(
    ONE,
    {
      schema: {
        ...documented('updateWebhook', 'Change a webhook'),
        ...{ params: WEBHOOK_PARAMS, body: WEBHOOK_BODY },
      },
    },
    async (request) => ({ webhook: await update(context, request) }),
  );
  app.delete<{ Params: Params }>(
    ONE,
    {
      schema: {
        ...documented('deleteWebhook', 'Delete a webhook and what it has not been told'),
        params: WEBHOOK_PARAMS,
      },
    },
    async (request) => {
      const { namespace, id } = await one(context, request, 'update');
      await context.webhooks.store.delete(namespace, id);
      return {};
    },
  );
  app.post<{ Params: Params; Body: { readonly event?: WireEvent } | undefined }>(
    `${ONE}/test`,
    {
      schema: {
        ...documented('testWebhook', 'Send an example to a webhook and show its answer'),
        ...{ params: WEBHOOK_PARAMS, body: TEST_WEBHOOK },
      },
    },
    async (request) => {
      const webhook = await one(context, request, 'update');
      const event = request.body?.event && checkedEvent(request.body.event);
      return { result: await testWebhook(context, webhook, event) };
    },
  );
};

/** The namespace, where the caller may do this with its Models. */
const place = async (
  context: RouteContext,
  request: FastifyRequest,
  verb: 'list' | 'update',
): Promise<string> => {
  const namespace = requireNamespace(request);
  await context.access.require(identityOf(request), { verb, resource: 'models', namespace });
  return namespace;
};

const one = async (
  context: RouteContext,
  request: FastifyRequest<{ Params: Params }>,
  verb: 'list' | 'update',
): Promise<Webhook> => {
  const namespace = await place(context, request, verb);
  const { webhookId } = request.params;
  const found = await context.webhooks.store.get(namespace, webhookId);
  if (found !== undefined) return found;
  throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `Webhook with ID ${webhookId} not found.`);
};

const create = async (
  context: RouteContext,
  request: FastifyRequest<{ Body: WebhookBody }>,
): Promise<object> => {
  const { name, url, events, description, secret, status } = request.body;
  const checked = {
    name: checkedWebhookName(name),
    url: checkedWebhookUrl(url, context.webhooks.hosts),
    events: checkedEvents(events),
    active: status !== 'DISABLED',
  };
  const namespace = await place(context, request, 'update');
  const { store, key } = context.webhooks;
  if ((await store.list(namespace)).length >= MAX_WEBHOOKS) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `Namespace ${namespace} has ${MAX_WEBHOOKS} webhooks, which is as many as it may; delete one first.`,
    );
  }
  const [id, at] = [context.newId(), context.now()];
  const webhook: Webhook = {
    ...{ id, namespace, ...checked, createdAt: at, updatedAt: at },
    ...(description ? { description } : {}),
    ...(secret ? { sealedSecret: seal(key, id, secret) } : {}),
  };
  await store.save(webhook);
  return webhookToWire(webhook);
};

const update = async (
  context: RouteContext,
  request: FastifyRequest<{ Params: Params; Body: WebhookBody }>,
): Promise<object> => {
  const { name, url, events, description, secret, status } = request.body;
  const known = await one(context, request, 'update');
  const { store, key, hosts } = context.webhooks;
  const changed: Webhook = {
    ...known,
    ...(name ? { name: checkedWebhookName(name) } : {}),
    ...(url ? { url: checkedWebhookUrl(url, hosts) } : {}),
    ...(events?.length ? { events: checkedEvents(events) } : {}),
    ...(description === undefined ? {} : { description }),
    ...(secret === undefined ? {} : { sealedSecret: seal(key, known.id, secret) }),
    ...(status === undefined ? {} : { active: status === 'ACTIVE' }),
    updatedAt: context.now(),
  };
  await store.save(changed);
  return webhookToWire(changed);
};

const list = async (
  context: RouteContext,
  request: FastifyRequest<{ Querystring: Page }>,
): Promise<object> => {
  const { max_results: limit = 100, page_token: token } = request.query;
  if (limit < 1 || limit > 1000) {
    throw new MlflowError('INVALID_PARAMETER_VALUE', 'max_results must be between 1 and 1000.');
  }
  const namespace = await place(context, request, 'list');
  const { items, next } = slice(await context.webhooks.store.list(namespace), token, limit);
  return { webhooks: items.map(webhookToWire), ...next };
};
