import { randomUUID } from 'node:crypto';
import { sendMessage } from '../../../webhooks/send.ts';
import type { Webhook } from '../../../webhooks/webhook-store.ts';
import type { RouteContext } from '../../route-context.ts';

/** What a receiver may answer before the rest is cut off. */
const SHOWN = 10_000;

/** Something of the shape of each event. */
const EXAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'registered_model.created': { name: 'example', tags: { team: 'a' }, description: 'An example' },
  'model_version.created': {
    ...{ name: 'example', version: '1', source: 'models:/m-0', run_id: null },
    ...{ tags: {}, description: 'An example' },
  },
  'model_version_tag.set': { name: 'example', version: '1', key: 'reviewed', value: 'yes' },
  'model_version_tag.deleted': { name: 'example', version: '1', key: 'reviewed' },
  'model_version_alias.created': { name: 'example', alias: 'champion', version: '1' },
  'model_version_alias.deleted': { name: 'example', alias: 'champion' },
};

/** Sends an example of the event, or of the webhook's first, once. */
export const testWebhook = async (
  { webhooks, now }: RouteContext,
  webhook: Webhook,
  wanted: string | undefined,
): Promise<object> => {
  const event = wanted ?? webhook.events[0] ?? 'registered_model.created';
  const data = EXAMPLES[event] ?? { name: 'example' };
  const message = { id: randomUUID(), webhook, event, data, happenedAt: now() };
  try {
    const { signal } = new AbortController();
    const { status, body } = await sendMessage({ ...webhooks, now }, message, signal);
    return { success: status < 400, response_status: status, response_body: body.slice(0, SHOWN) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { success: false, error_message: `Failed to test webhook: ${why}` };
  }
};
