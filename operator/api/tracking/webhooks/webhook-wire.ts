import { isIP } from 'node:net';
import { assertAllowed, hostOf } from '../../../probing/guarded-address.ts';
import type { PrivateHosts } from '../../../probing/guarded-address.ts';
import type { Webhook } from '../../../webhooks/webhook-store.ts';
import { MlflowError } from '../mlflow-error.ts';

export type WireEvent = { readonly entity?: string; readonly action?: string };

/** As MLflow names them (webhooks.proto); those of prompts and budgets never happen here. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  registered_model: ['created'],
  model_version: ['created'],
  model_version_tag: ['set', 'deleted'],
  model_version_alias: ['created', 'deleted'],
  prompt: ['created'],
  prompt_version: ['created'],
  prompt_tag: ['set', 'deleted'],
  prompt_version_tag: ['set', 'deleted'],
  prompt_alias: ['created', 'deleted'],
  budget_policy: ['exceeded'],
};

const invalid = (message: string): MlflowError =>
  new MlflowError('INVALID_PARAMETER_VALUE', message);

export const webhookToWire = (webhook: Webhook): object => ({
  webhook_id: webhook.id,
  name: webhook.name,
  url: webhook.url,
  events: webhook.events.map(eventToWire),
  ...(webhook.description ? { description: webhook.description } : {}),
  status: webhook.active ? 'ACTIVE' : 'DISABLED',
  creation_timestamp: webhook.createdAt,
  last_updated_timestamp: webhook.updatedAt,
});

const eventToWire = (event: string): WireEvent => {
  const [entity = '', action = ''] = event.split('.');
  return { entity: entity.toUpperCase(), action: action.toUpperCase() };
};

export const checkedEvent = ({ entity = '', action = '' }: WireEvent): string => {
  const [what, did] = [entity.toLowerCase(), action.toLowerCase()];
  const actions = Object.hasOwn(ACTIONS, what) ? ACTIONS[what] : undefined;
  if (actions?.includes(did) === true) return `${what}.${did}`;
  throw invalid(
    actions === undefined
      ? `Invalid entity '${entity.slice(0, 64)}' of a webhook's event: one of ${Object.keys(ACTIONS).join(', ')}.`
      : `Invalid action '${action.slice(0, 64)}' for entity '${what}'. Valid actions are: ${actions.join(', ')}.`,
  );
};

export const checkedEvents = (events: readonly WireEvent[] | undefined): readonly string[] => {
  if (events === undefined || events.length === 0) {
    throw invalid("Missing value for required parameter 'events': name at least one.");
  }
  return [...new Set(events.map(checkedEvent))];
};

export const checkedWebhookName = (name: string | undefined): string => {
  if (name !== undefined && /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i.test(name)) return name;
  throw invalid(
    'A webhook needs a name of at most 63 letters, digits, dots, underscores and hyphens, which ' +
      'starts and ends with a letter or digit.',
  );
};

/**
 * Refuses what would be refused when it is used, as far as it can be known now: what a name resolves
 * to is asked at each delivery. Only hosts that the administrator names may do without TLS.
 */
export const checkedWebhookUrl = (text: string | undefined, hosts: PrivateHosts): string => {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '') {
    throw invalid('A webhook needs a URL such as https://example.com/hook.');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('The URL of a webhook must not hold credentials; check its signature instead.');
  }
  const named = hosts === true || hosts.some((each) => [url.hostname, url.host].includes(each));
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && named)) {
    throw invalid(
      `Invalid webhook URL scheme: '${url.protocol.slice(0, -1)}'. Only https is allowed, and http ` +
        'for hosts that the administrator names in operator.webhookHosts.',
    );
  }
  refusePrivate(url, hosts);
  return url.href;
};

export const WEBHOOK_ADVICE =
  'have the administrator allow the host for webhooks (operator.webhookHosts)';

const refusePrivate = (url: URL, hosts: PrivateHosts): void => {
  const host = hostOf(url);
  const literal = /^(.*\.)?localhost\.?$/i.test(host) ? '127.0.0.1' : host;
  if (isIP(literal) === 0) return;
  try {
    assertAllowed(url, [literal], hosts, WEBHOOK_ADVICE);
  } catch (error) {
    throw invalid(`Invalid webhook URL: ${error instanceof Error ? error.message : ''}.`);
  }
};
