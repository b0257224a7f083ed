/** The least a Node server can do: node:http, JSON and ONNX Runtime on one thread. Arguments: model, port. */
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import * as ort from 'onnxruntime-node';

const [, , model = '', port] = process.argv;
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });

type Body = {
  readonly inputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly data: readonly number[];
  }[];
};

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => void answer(chunks, response));
}).listen(Number(port), '127.0.0.1');

async function answer(chunks: readonly Buffer[], response: ServerResponse): Promise<void> {
  const [first] = chunks;
  if (first === undefined) {
    response.end();
    return;
  }
  const { inputs } = JSON.parse(
    String(chunks.length === 1 ? first : Buffer.concat(chunks)),
  ) as Body;
  const feeds: Record<string, ort.Tensor> = {};
  for (const { name, data, shape } of inputs) {
    feeds[name] = new ort.Tensor('float32', Float32Array.from(data), shape);
  }
  const results = await session.run(feeds);
  const outputs = Object.entries(results).map(([name, { type, dims, data }]) => ({
    name,
    datatype: type === 'int64' ? 'INT64' : 'FP32',
    shape: dims,
    data: Array.from(data as Float32Array, Number),
  }));
  const body = JSON.stringify({ model_name: 'bench', outputs });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  response.writeHead(200, headers).end(body);
}
