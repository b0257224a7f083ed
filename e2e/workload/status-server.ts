import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

export type StatusPorts = {
  readonly ready: () => boolean;
  readonly debug: () => unknown;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
};

type Answer = { readonly status: number; readonly type: string; readonly body: string };

/** /healthz, /readyz, /metrics and /debug/queues on loopback. */
export const listenForStatus = async (port: number, ports: StatusPorts): Promise<Server> => {
  const server = createServer((request, response) => {
    void answerTo(request.url ?? '', ports).then(({ status, type, body }) =>
      response.writeHead(status, { 'content-type': type }).end(body),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

const answerTo = async (path: string, { ready, debug, metrics }: StatusPorts): Promise<Answer> => {
  const text = (status: number, body: string): Answer => ({ status, type: 'text/plain', body });
  switch (path) {
    case '/healthz':
      return text(200, 'ok\n');
    case '/readyz':
      return ready() ? text(200, 'ok\n') : text(503, 'the caches are not complete yet\n');
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.metrics() };
    case '/debug/queues':
      return { status: 200, type: 'application/json', body: `${JSON.stringify(debug())}\n` };
    default:
      return text(404, 'not found\n');
  }
};
