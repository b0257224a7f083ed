/** A server that comes and goes: up, answering 503, cutting answers in the middle, or silent. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const TROUBLES = ['refusing', 'cutting', 'silent'] as const;
export type Mood = 'up' | (typeof TROUBLES)[number];

export class MoodyServer {
  #mood: Mood = 'up';
  #troubleEndedAt = Number.NEGATIVE_INFINITY;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<MoodyServer> {
    const server = createServer((request, response) => {
      moody.#answer(request, response, answer);
    });
    const moody = new MoodyServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return moody;
  }

  get mood(): Mood {
    return this.#mood;
  }

  set mood(mood: Mood) {
    if (mood === 'up') this.#troubleEndedAt = performance.now();
    this.#mood = mood;
  }

  /** Whether it was in trouble at any time since `moment`, on the monotonic clock in milliseconds. */
  wasTroubledSince(moment: number): boolean {
    return this.#mood !== 'up' || this.#troubleEndedAt >= moment;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): void {
    switch (this.mood) {
      case 'up':
        answer(request, response);
        return;
      case 'refusing':
        request.resume();
        response.writeHead(503).end();
        return;
      case 'cutting':
        response.writeHead(200, { 'content-length': '1000' });
        response.write('half');
        setTimeout(() => response.destroy(), 20);
        return;
      case 'silent':
        // For as long as the trouble lasts; whoever gives up earlier has gone by then.
        setTimeout(() => response.destroy(), 4000);
    }
  }
}
