import type { Webhook, WebhookStore } from './webhook-store.ts';

/** Webhooks of tests. */
export const memoryWebhookStore = (): WebhookStore => {
  const webhooks = new Map<string, Webhook>();
  const found = (namespace: string, id: string): Webhook | undefined => {
    const webhook = webhooks.get(id);
    return webhook?.namespace === namespace ? webhook : undefined;
  };
  return {
    async save(webhook) {
      webhooks.set(webhook.id, webhook);
    },
    get: async (namespace, id) => found(namespace, id),
    list: async (namespace) =>
      [...webhooks.values()]
        .filter((each) => each.namespace === namespace)
        .toSorted((a, b) => b.createdAt - a.createdAt),
    async delete(namespace, id) {
      if (found(namespace, id) !== undefined) webhooks.delete(id);
    },
  };
};
