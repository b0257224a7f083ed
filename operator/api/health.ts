import { LogController, fastify } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { QueueSnapshot } from '../runtime/work-queue.ts';
import { queuePage } from './queue-page.ts';

/** What stands between the process and being ready; empty when nothing does. */
export type HealthState = {
  /** False once only a restart helps. */
  alive(): boolean;
  /** What is not ready yet, in words: "the cache of experiments is not synced". */
  notReady(): Promise<readonly string[]>;
};

export type HealthPorts = {
  readonly health: HealthState;
  /** Prometheus text exposition. */
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  /** What waits, works and fails, by controller. */
  readonly queues: () => Readonly<Record<string, QueueSnapshot>>;
};

/** /healthz, /readyz, /metrics and /debug/queues, without authentication: for a listener of their own. */
export const healthRoutes = (
  app: FastifyInstance,
  { health, metrics, queues }: HealthPorts,
): void => {
  app.get('/healthz', async (_request, reply) =>
    health.alive() ? text(reply, 200, 'ok\n') : text(reply, 503, 'only a restart helps\n'),
  );
  app.get('/readyz', async (_request, reply) => {
    const missing = await health.notReady();
    return missing.length === 0
      ? text(reply, 200, 'ok\n')
      : text(reply, 503, `${missing.map((each) => `- ${each}`).join('\n')}\n`);
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  );
  app.get('/debug/queues', async (_request, reply) => text(reply, 200, queuePage(queues())));
};

type Reply = { code(status: number): Reply; type(type: string): Reply; send(body: string): Reply };

const text = (reply: Reply, status: number, body: string): Reply =>
  reply.code(status).type('text/plain; charset=utf-8').send(body);

/** A server of the health routes alone. */
export const createHealthServer = (
  ports: HealthPorts & { readonly log: FastifyBaseLogger },
): FastifyInstance => {
  const app = fastify({
    loggerInstance: ports.log,
    logController: new LogController({ disableRequestLogging: true }),
  });
  healthRoutes(app, ports);
  return app;
};
