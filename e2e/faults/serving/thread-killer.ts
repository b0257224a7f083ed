/** Ends computing threads of a Node process from outside, through its inspector. */
type Message = {
  readonly method?: string;
  readonly params?: { readonly sessionId?: string };
};

/**
 * https://chromedevtools.github.io/devtools-protocol/ and Node's domain NodeWorker: each thread has a
 * session, in which it is told to exit as a crash would have it.
 */
export class ThreadKiller {
  readonly #socket: WebSocket;
  readonly #sessions: string[] = [];
  #ids = 0;
  killed = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async attach(url: string): Promise<ThreadKiller> {
    const socket = new WebSocket(url);
    const killer = new ThreadKiller(socket);
    socket.addEventListener('message', ({ data }) => {
      killer.#hear(JSON.parse(String(data)) as Message);
    });
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', reject);
    });
    killer.#send('NodeWorker.enable', { waitForDebuggerOnStart: false });
    return killer;
  }

  /** Ends the thread that runs longest; false where there is none. */
  kill(): boolean {
    const sessionId = this.#sessions.shift();
    if (sessionId === undefined) return false;
    const evaluate = {
      ...{ id: 1, method: 'Runtime.evaluate' },
      // Between computations: Node-API ends the whole process where a thread is ended within native code.
      params: { expression: 'setTimeout(() => process.exit(1), 0)' },
    };
    this.#send('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify(evaluate) });
    this.killed += 1;
    return true;
  }

  close(): void {
    this.#socket.close();
  }

  #send(method: string, params: object): void {
    this.#ids += 1;
    this.#socket.send(JSON.stringify({ id: this.#ids, method, params }));
  }

  #hear({ method, params }: Message): void {
    const sessionId = params?.sessionId ?? '';
    if (method === 'NodeWorker.attachedToWorker') this.#sessions.push(sessionId);
    if (method !== 'NodeWorker.detachedFromWorker') return;
    const at = this.#sessions.indexOf(sessionId);
    if (at >= 0) this.#sessions.splice(at, 1);
  }
}
