import type { Server } from 'node:http';

export type DrainPause = (ms: number) => Promise<void>;

/**
 * Ends servers without failing a request: for `drainMs` they go on answering (endpoints and proxies
 * learn of it meanwhile, and each answer asks its client to reconnect elsewhere), then they accept no
 * more, end idle connections and wait for the requests at work.
 */
export async function drain(
  servers: readonly Server[],
  drainMs: number,
  pause: DrainPause,
): Promise<void> {
  await pause(drainMs);
  await Promise.all(servers.map(closeServer));
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
