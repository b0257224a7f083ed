import { LogController, fastify } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';

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
};

/** /healthz, /readyz and /metrics, without authentication: for a listener of their own. */
export const healthRoutes = (app: FastifyInstance, { health, metrics }: HealthPorts): void => {
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
