import { connect } from 'node:net';
import type { Reply } from './target.ts';

const answerMs = 20_000;

/** Sends all bodies on one connection before any answer is read; gives the answers in their order. */
export function pipelined(url: string, bodies: readonly string[]): Promise<readonly Reply[]> {
  const { hostname, port, pathname, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port === '' ? 80 : port), hostname);
    let received = Buffer.alloc(0);
    const finish = (result: readonly Reply[] | Error) => {
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    socket.setTimeout(answerMs, () => finish(new Error(`no answers within ${answerMs} ms`)));
    socket.on('error', finish);
    socket.on('close', () => finish(new Error('the connection was closed before all answers')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const replies = repliesIn(received);
      if (replies.length === bodies.length) finish(replies);
    });
    for (const body of bodies) {
      socket.write(
        `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    }
  });
}

/** The whole answers; their lengths are told by content-length or chunk by chunk. */
const repliesIn = (bytes: Buffer): readonly Reply[] => {
  const replies: Reply[] = [];
  for (let rest = bytes; ;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return replies;
    const [first = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const [name = '', ...value] = line.split(':');
        return [name.toLowerCase(), value.join(':').trim()];
      }),
    );
    const after = rest.subarray(end + 4);
    const body =
      headers['transfer-encoding'] === 'chunked' ? chunked(after) : sized(after, headers);
    if (body === undefined) return replies;
    replies.push({ status: Number(first.split(' ')[1]), headers, body: body.content });
    rest = after.subarray(body.length);
  }
};

type Body = { readonly content: Buffer; readonly length: number };

const sized = (bytes: Buffer, headers: Readonly<Record<string, string>>): Body | undefined => {
  const length = Number(headers['content-length'] ?? 0);
  return bytes.length < length ? undefined : { content: bytes.subarray(0, length), length };
};

const chunked = (bytes: Buffer): Body | undefined => {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const size = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16);
    const from = end + 2;
    if (bytes.length < from + size + 2) return undefined;
    if (size === 0) return { content: Buffer.concat(parts), length: from + 2 };
    parts.push(bytes.subarray(from, from + size));
    at = from + size + 2;
  }
};
