import type { Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';

/** A server that knows which of its connections carry a request. */
export type DrainableServer = {
  readonly server: Server;
  /** Tells clients to come with new connections; those that are open go on. */
  readonly announce?: () => void;
  /** Ends connections that carry none, also those that never sent a byte. */
  readonly closeUnused: () => void;
};

export function drainable(server: HttpServer): DrainableServer {
  const unused = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    unused.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) unused.add(socket);
    });
  });
  return {
    server,
    closeUnused: () => {
      for (const socket of unused) socket.destroy();
    },
  };
}

/** For a request that was on its way when the server stopped accepting. */
const lastRequestsMs = 1000;

/**
 * Ends servers without failing a request: for `drainMs` they go on answering (endpoints and proxies
 * learn of it meanwhile, and each answer asks its client to reconnect elsewhere), then they accept no
 * more, end connections without a request and wait for the requests at work.
 */
export async function drain(
  servers: readonly DrainableServer[],
  drainMs: number,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  for (const { announce } of servers) announce?.();
  if (drainMs > 0) await pause(drainMs);
  const closed = Promise.all(servers.map(({ server }) => closeServer(server)));
  if (drainMs > 0) await Promise.race([closed, pause(lastRequestsMs)]);
  for (const { closeUnused } of servers) closeUnused();
  await closed;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // close() ends idle connections itself; its error says only that the server never listened.
    server.close(() => {
      resolve();
    });
  });
}

/** Resolves with the port, which is a free one for 0. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
