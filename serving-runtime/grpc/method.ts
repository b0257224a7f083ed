/** What a service of ours consists of. */
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Caller } from '../admission.ts';
import { invalidRequest } from '../protocol/protocol-error.ts';
import { receiveMessage } from './frames.ts';

export type Call = {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
  readonly caller: Caller;
};

export type Conversation = {
  readonly received: (message: Uint8Array) => void;
  /** Whether there is nothing more to say once the client has said all. */
  readonly endsWithClient: boolean;
};

export type Method =
  | {
      readonly kind: 'unary';
      readonly isTraced?: boolean;
      readonly answer: (call: Call) => Promise<Uint8Array>;
    }
  | {
      readonly kind: 'streaming';
      readonly converse: (call: Call, send: (message: Uint8Array) => void) => Conversation;
    };

/** By path, `/package.Service/Method`. */
export type Methods = Readonly<Record<string, Method>>;

/** Questions about the server are short. */
export const smallMessage = { maxBytes: 64 * 1024, withinMs: 10_000 };

export function unary<I extends DescMessage, O extends DescMessage>(
  input: I,
  output: O,
  answer: (message: MessageShape<I>) => MessageInitShape<O> | Promise<MessageInitShape<O>>,
): Method {
  return {
    kind: 'unary',
    answer: async ({ stream }) => {
      const message = decodeMessage(input, await receiveMessage(stream, smallMessage));
      return toBinary(output, create(output, await answer(message)));
    },
  };
}

/** Throws ProtocolError (400) where the bytes are no such message. */
export function decodeMessage<T extends DescMessage>(type: T, bytes: Uint8Array): MessageShape<T> {
  try {
    return fromBinary(type, bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidRequest(`the message is no ${type.typeName}: ${reason}`);
  }
}
