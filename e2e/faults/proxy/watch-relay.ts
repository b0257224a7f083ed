import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RequestFacts } from './request-facts.ts';
import type { RuleBook } from './rule-book.ts';

const NEWLINE = 0x0a;
/** An event held back to swap it with the next goes out after this, when there is no next. */
const REORDER_MS = 50;
const EXPIRED =
  '{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",' +
  '"message":"too old resource version: 1 (2)","reason":"Expired","code":410}}\n';

/** Passes one watch from the server to its client, line by line, with the faults that rules ask for. */
export class WatchRelay {
  readonly #facts: RequestFacts;
  readonly #rules: RuleBook;
  readonly #upstream: IncomingMessage;
  readonly #client: ServerResponse;
  #rest: Buffer = Buffer.alloc(0);
  #held: Buffer | undefined;
  #timers: NodeJS.Timeout[] = [];
  #frozen = false;

  constructor(
    facts: RequestFacts,
    rules: RuleBook,
    streams: { readonly upstream: IncomingMessage; readonly client: ServerResponse },
  ) {
    this.#facts = facts;
    this.#rules = rules;
    this.#upstream = streams.upstream;
    this.#client = streams.client;
  }

  /** Until the stream is over, from whichever side. */
  async run(): Promise<void> {
    if (this.#begin() === 'over') return;
    // An idle watch has to be seen as begun, too.
    this.#client.flushHeaders();
    try {
      for await (const chunk of this.#upstream) await this.#take(chunk as Buffer);
      await this.#release();
      if (!this.#frozen) this.#client.end();
    } catch {
      // The server broke off: so does the stream to the client, unless that is to hear nothing.
      if (!this.#frozen) this.#client.destroy();
    } finally {
      for (const timer of this.#timers) clearTimeout(timer);
    }
  }

  #begin(): 'open' | 'over' {
    const types = ['cutWatch', 'freezeWatch', 'expireWatch'] as const;
    const fault = this.#rules.strike(this.#facts, types)?.fault;
    if (fault?.type === 'expireWatch') {
      this.#client.end(EXPIRED);
      this.#upstream.destroy();
      return 'over';
    }
    if (fault?.type === 'cutWatch') this.#later(fault.ms, () => this.cut());
    if (fault?.type === 'freezeWatch') this.#later(fault.ms, () => this.freeze());
    return 'open';
  }

  cut(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  /** From now on the client hears nothing, not even the end. */
  freeze(): void {
    this.#frozen = true;
  }

  #later(ms: number, action: () => void): void {
    this.#timers.push(setTimeout(action, ms));
  }

  async #take(chunk: Buffer): Promise<void> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let end = this.#rest.indexOf(NEWLINE);
    while (end >= 0) {
      const line = this.#rest.subarray(0, end + 1);
      this.#rest = this.#rest.subarray(end + 1);
      await this.#relay(line);
      end = this.#rest.indexOf(NEWLINE);
    }
  }

  async #relay(line: Buffer): Promise<void> {
    if (this.#rules.holds(this.#facts, 'blackhole')) this.freeze();
    // Bookmarks and errors are the server's word on the stream, no events.
    const start = line.subarray(0, 24).toString('latin1');
    if (/^\{"type":"(BOOKMARK|ERROR)"/.test(start)) {
      await this.#release();
      return this.#write(line);
    }
    const types = [
      'dropEvents',
      'duplicateEvents',
      'reorderEvents',
      'garbageLine',
      'truncateEvent',
      'splitCharacters',
    ] as const;
    const fault = this.#rules.strike(this.#facts, types)?.fault.type;
    if (fault === 'dropEvents') return;
    if (fault === 'reorderEvents' && this.#held === undefined) {
      this.#held = line;
      this.#later(REORDER_MS, () => void this.#release());
      return;
    }
    if (fault === 'garbageLine') await this.#write(Buffer.from('}{ no JSON at all \u2603\n'));
    if (fault === 'truncateEvent') {
      await this.#write(line.subarray(0, line.length >> 1));
      this.#client.end();
      this.#upstream.destroy();
      return;
    }
    if (fault === 'splitCharacters') await this.#writeInPieces(line);
    else await this.#write(line);
    if (fault === 'duplicateEvents') await this.#write(line);
    await this.#release();
  }

  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) await this.#write(held);
  }

  /** Cuts before every continuation byte of UTF-8, and in the middle where there is none. */
  async #writeInPieces(line: Buffer): Promise<void> {
    const cuts = [...line.keys()].filter((at) => ((line[at] ?? 0) & 0xc0) === 0x80);
    let from = 0;
    for (const at of cuts.length === 0 ? [line.length >> 1] : cuts) {
      await this.#write(line.subarray(from, at));
      await nextTurn();
      from = at;
    }
    await this.#write(line.subarray(from));
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#frozen || this.#client.destroyed || this.#client.writableEnded) return;
    if (this.#client.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#client.once('drain', resolve);
      this.#client.once('close', resolve);
    });
  }
}
