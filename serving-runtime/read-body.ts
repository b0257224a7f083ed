import type { IncomingMessage } from 'node:http';
import { invalidRequest, ProtocolError } from './protocol/protocol-error.ts';

export type BodyLimits = {
  readonly maxBytes: number;
  /** Milliseconds left for the whole body to come. */
  readonly withinMs: number;
};

/** Refuses by what the headers say, before anything is read: 413 and 415. */
export function checkBodyHeaders(request: IncomingMessage, maxBytes: number): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ProtocolError(
      'UnsupportedEncoding',
      `Content-Encoding ${encoding} is not read; send the body uncompressed`,
    );
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/** The whole body. Throws ProtocolError 413 beyond `maxBytes`, 408 when it does not come in time. */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (error: Error | undefined) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error) reject(error);
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.maxBytes) finish(tooLarge(limits.maxBytes));
      else chunks.push(chunk);
    };
    const onEnd = () => {
      finish(undefined);
    };
    const onClose = () => {
      finish(invalidRequest('the connection closed before the whole body came'));
    };
    const timer = setTimeout(() => {
      finish(
        new ProtocolError('RequestTimeout', 'the body did not come within the time allowed', {
          headers: { connection: 'close' },
        }),
      );
    }, limits.withinMs);
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/** Reads and forgets the rest of a body, for at most `withinMs`. */
export function discardBody(request: IncomingMessage, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, withinMs);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    if (request.complete || request.destroyed) {
      done();
      return;
    }
    request.once('end', done).once('close', done).resume();
  });
}

function tooLarge(maxBytes: number): ProtocolError {
  return new ProtocolError(
    'BodyTooLarge',
    `the body has more than ${String(maxBytes)} bytes; send fewer rows at a time`,
    { headers: { connection: 'close' } },
  );
}
