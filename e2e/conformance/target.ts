/** The server under test, and what it says of the model that is asked. */
import { request as send } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

export type Datatype =
  | 'BOOL'
  | `${'UINT' | 'INT'}${'8' | '16' | '32' | '64'}`
  | 'FP16'
  | 'BF16'
  | 'FP32'
  | 'FP64'
  | 'BYTES';

export type TensorMetadata = {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
};

export type ModelMetadata = {
  readonly name: string;
  readonly versions?: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
};

export type Reply = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

export type Target = {
  /** `http://host:port` of its gRPC, where that is to be asked. */
  readonly grpc?: string | undefined;
  /** Without a slash at its end. */
  readonly url: string;
  readonly model: string;
  readonly metadata: ModelMetadata;
  /** Of the server. */
  readonly extensions: readonly string[];
  /** The shapes to ask with, by input; others are made of the metadata. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
};

export type Call = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};

const answerMs = 20_000;

/** One request on a connection of its own; rejects when there is no whole answer within 20 s. */
export function call(url: string, { method, headers, body }: Call = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        agent: false,
        timeout: answerMs,
        headers: {
          ...headers,
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode: status = 0, headers: answered } = response;
          resolve({ status, headers: answered, body: Buffer.concat(chunks) });
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${answerMs} ms`)));
    request.on('error', reject);
    request.end(body);
  });
}

/** What the server says of itself and the model. Throws where it says nothing that can be used. */
export async function openTarget(
  url: string,
  model: string,
  shapes: Target['shapes'] = {},
): Promise<Target> {
  const base = url.replace(/\/$/, '');
  const about = await call(`${base}/v2/models/${model}`);
  if (about.status !== 200) {
    throw new Error(
      `GET ${base}/v2/models/${model} answers ${about.status}: is the model of this name loaded?`,
    );
  }
  const server = await call(`${base}/v2`);
  const { extensions = [] } = jsonOf(server) as { extensions?: readonly string[] };
  return { url: base, model, metadata: jsonOf(about) as ModelMetadata, extensions, shapes };
}

/** Throws with the beginning of the body where that is no JSON. */
export function jsonOf({ body }: Reply): unknown {
  const text = body.toString();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`the body is no JSON: ${text.slice(0, 200)}`);
  }
}
