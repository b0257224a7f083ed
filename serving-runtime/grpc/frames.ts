/** Messages on a stream: a flag, the length in 4 bytes, the message. Source: gRPC's PROTOCOL-HTTP2. */
import type { Readable } from 'node:stream';
import { invalidRequest, ProtocolError } from '../protocol/protocol-error.ts';
import type { BodyLimits } from '../read-body.ts';

const prefixBytes = 5;

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(prefixBytes + message.byteLength);
  framed[0] = 0;
  framed.writeUInt32BE(message.byteLength, 1);
  framed.set(message, prefixBytes);
  return framed;
}

/** Takes chunks as they come and gives the messages that are whole. */
export class FrameDecoder {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #held = 0;
  /** Of the frame that has begun, prefix included; 0 before its prefix is there. */
  #wanted = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether nothing is left of a message that has begun. */
  get isEmpty(): boolean {
    return this.#held === 0;
  }

  /** Throws ProtocolError for compressed messages and those over the limit, by their prefix. */
  push(chunk: Buffer): readonly Buffer[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const messages: Buffer[] = [];
    while (this.#held >= (this.#wanted || prefixBytes)) {
      const [held = chunk] = this.#chunks.length === 1 ? this.#chunks : [this.#join()];
      if (this.#wanted === 0) {
        this.#wanted = prefixBytes + this.#lengthIn(held);
        continue;
      }
      messages.push(held.subarray(prefixBytes, this.#wanted));
      const rest = held.subarray(this.#wanted);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#held = rest.length;
      this.#wanted = 0;
    }
    return messages;
  }

  #join(): Buffer {
    const joined = Buffer.concat(this.#chunks, this.#held);
    this.#chunks = [joined];
    return joined;
  }

  #lengthIn(held: Buffer): number {
    if (held[0] !== 0) {
      throw new ProtocolError('UnsupportedEncoding', 'the message is compressed; send it as it is');
    }
    const length = held.readUInt32BE(1);
    if (length <= this.#maxBytes) return length;
    throw new ProtocolError(
      'BodyTooLarge',
      `the message has ${String(length)} bytes, at most ${String(this.#maxBytes)} are read; send fewer rows at a time`,
    );
  }
}

/** The one message of a unary call. Throws ProtocolError; `DeadlineExceeded` when it does not come in time. */
export function receiveMessage(stream: Readable, limits: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const decoder = new FrameDecoder(limits.maxBytes);
    let message: Buffer | undefined;
    const finish = (error?: Error) => {
      clearTimeout(timer);
      stream.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error !== undefined) reject(error);
      else if (message !== undefined && decoder.isEmpty) resolve(message);
      else reject(invalidRequest('the stream ended before a whole message came'));
    };
    const onData = (chunk: Buffer) => {
      try {
        for (const each of decoder.push(chunk)) {
          if (message !== undefined) throw invalidRequest('this method takes one message');
          message = each;
        }
      } catch (error) {
        finish(error as Error);
      }
    };
    const onEnd = () => {
      finish();
    };
    const onClose = () => {
      finish(new ProtocolError('RequestTimeout', 'the client went away'));
    };
    const timer = setTimeout(() => {
      finish(new ProtocolError('DeadlineExceeded', 'the message did not come in time'));
    }, limits.withinMs);
    stream.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}
