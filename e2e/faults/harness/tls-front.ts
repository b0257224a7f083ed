import { createServer, type Server } from 'node:https';
import { request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

type Certificate = { readonly cert: string; readonly key: string };

/** A TLS front of an API server whose certificate can be replaced; callers' tokens go through. */
export class TlsFront {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(apiserver: string, certificate: Certificate) {
    this.#server = createServer(certificate, (incoming, response) => {
      const onward = request(
        new URL(incoming.url ?? '/', apiserver),
        // The way from here to the server is not what is tried here.
        { method: incoming.method, headers: incoming.headers, rejectUnauthorized: false },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          response.flushHeaders();
          answer.pipe(response);
          answer.once('error', () => response.destroy());
        },
      );
      onward.once('error', () => response.destroy());
      response.once('close', () => onward.destroy());
      incoming.pipe(onward);
    });
    this.#server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** For connections from now on. */
  useCertificate(certificate: Certificate): void {
    this.#server.setSecureContext(certificate);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

export const startTlsFront = async (
  apiserver: string,
  certificate: Certificate,
): Promise<TlsFront> => {
  const front = new TlsFront(apiserver, certificate);
  await front.listen();
  return front;
};
