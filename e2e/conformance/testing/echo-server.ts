/** A small server of the protocol whose model gives its inputs back, and into which faults are put. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { listen } from './listen.ts';

export const faults = [
  ...['none', 'no id', 'all outputs always', 'outputs in the order of the model'],
  ...['digits lost', 'wrong shape taken', 'unknown input taken', 'missing input taken'],
  ...['few values taken', 'text taken as number', 'datatype not checked', '500 for wrong JSON'],
  ...['error without words', 'nested data refused', 'parameters refused', 'never ready'],
  ...['raw size not checked', 'raw outputs as JSON', 'raw bytes swapped', 'unknown model served'],
  ...['answers of others', 'metadata without shapes'],
] as const;
export type Fault = (typeof faults)[number];

type Input = {
  name: string;
  datatype: string;
  shape: number[];
  data?: unknown[];
  parameters?: { binary_data_size?: number };
};
type Asked = {
  id?: string;
  parameters?: { binary_data_output?: boolean };
  inputs?: Input[];
  outputs?: { name: string; parameters?: { binary_data?: boolean } }[];
};

export const echoTensors = [
  { name: 'x', datatype: 'FP32', shape: [-1, 2] },
  { name: 'n', datatype: 'INT64', shape: [-1] },
];

class Refusal extends Error {}

export const startEchoServer = async (fault: Fault) => {
  let answered = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const reply = replyTo(request.url ?? '', request.headers, Buffer.concat(chunks), {
        fault,
        count: ++answered,
      });
      response.writeHead(reply.status, { ...reply.headers, 'content-length': reply.body.length });
      response.end(reply.body);
    });
  });
  return listen(server);
};

type Moment = { readonly fault: Fault; readonly count: number };
type Reply = { status: number; headers?: Record<string, string>; body: Buffer };

const json = (status: number, body: unknown): Reply => ({
  status,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

const replyTo = (
  url: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
  moment: Moment,
): Reply => {
  const { fault } = moment;
  try {
    if (url.startsWith('/v2/health/'))
      return json(fault === 'never ready' && url.endsWith('ready') ? 503 : 200, {});
    if (url === '/v2')
      return json(200, { name: 'echo', version: '1', extensions: ['binary_tensor_data'] });
    if (url === '/v2/models/echo') return json(200, metadata(fault));
    if (url === '/v2/models/echo/ready') return json(200, {});
    if (url === '/v2/models/echo/infer') return infer(headers, body, moment);
    if (fault === 'unknown model served') return json(200, metadata(fault));
    return json(404, { error: 'there is no such thing' });
  } catch (error) {
    if (!(error instanceof Refusal)) return json(500, { error: String(error) });
    return json(400, fault === 'error without words' ? {} : { error: error.message });
  }
};

const metadata = (fault: Fault) => ({
  ...{ name: 'echo', versions: ['1'], platform: 'echo', inputs: echoTensors },
  outputs:
    fault === 'metadata without shapes'
      ? echoTensors.map(({ shape: _, ...each }) => each)
      : echoTensors,
});

const parse = (text: string, fault: Fault): Asked => {
  try {
    // Digits beyond 2^53 stay as text, marked, unless the fault loses them.
    const kept =
      fault === 'digits lost' ? text : text.replace(/(?<=[[,])-?\d{16,}(?=[\],])/g, '"int:$&"');
    return JSON.parse(kept) as Asked;
  } catch {
    if (fault === '500 for wrong JSON') throw new Error('unexpected token');
    throw new Refusal('the body is no JSON');
  }
};

const infer = (headers: IncomingHttpHeaders, body: Buffer, { fault, count }: Moment): Reply => {
  const length = Number(headers['inference-header-content-length'] ?? body.length);
  if (length > body.length) throw new Refusal('the header is longer than the body');
  const asked = parse(body.subarray(0, length).toString(), fault);
  const inputs = decode(asked, body.subarray(length), fault);
  const chosen = choose(asked, fault);
  const tails: Buffer[] = [];
  const outputs = chosen.map((name) => {
    const input = inputs.find((each) => each.name === name) ?? inputs[0];
    if (input === undefined) throw new Refusal('no input');
    const { datatype, shape, data = [] } = input;
    const isRaw = fault !== 'raw outputs as JSON' && asksRaw(asked, name);
    const values = fault === 'answers of others' && count % 3 === 0 ? data.toReversed() : data;
    if (!isRaw) return { name, datatype, shape, data: values };
    const bytes = encode(datatype, values);
    tails.push(fault === 'raw bytes swapped' ? (bytes.toReversed() as Buffer) : bytes);
    return { name, datatype, shape, parameters: { binary_data_size: bytes.length } };
  });
  const id = fault === 'no id' || asked.id === undefined ? {} : { id: asked.id };
  const head = Buffer.from(
    JSON.stringify({ model_name: 'echo', ...id, outputs }).replace(/"int:(-?\d+)"/g, '$1'),
  );
  if (tails.length === 0) return json(200, head.toString());
  return {
    ...{ status: 200, body: Buffer.concat([head, ...tails]) },
    headers: { 'inference-header-content-length': String(head.length) },
  };
};

const asksRaw = ({ outputs, parameters }: Asked, name: string): boolean =>
  outputs?.find((each) => each.name === name)?.parameters?.binary_data ??
  parameters?.binary_data_output ??
  false;

const choose = ({ outputs, parameters }: Asked, fault: Fault): readonly string[] => {
  const all = echoTensors.map(({ name }) => name);
  if (
    fault === 'parameters refused' &&
    Object.keys(parameters ?? {}).some((key) => key !== 'binary_data_output')
  )
    throw new Refusal('unknown parameter');
  const names = outputs?.map(({ name }) => name) ?? all;
  if (names.some((name) => !all.includes(name))) throw new Refusal('no such output');
  if (fault === 'all outputs always') return all;
  return fault === 'outputs in the order of the model'
    ? all.filter((name) => names.includes(name))
    : names;
};

const decode = ({ inputs }: Asked, tail: Buffer, fault: Fault): readonly Input[] => {
  if (!Array.isArray(inputs)) throw new Refusal('no inputs');
  let offset = 0;
  const decoded = inputs.map((input) => {
    const size = input.parameters?.binary_data_size;
    const bytes = tail.subarray(offset, offset + (size ?? 0));
    offset += size ?? 0;
    return check(input, bytes, fault);
  });
  if (fault !== 'raw size not checked' && offset !== tail.length)
    throw new Refusal('raw bytes are missing or left');
  if (
    fault !== 'missing input taken' &&
    echoTensors.some(({ name }) => !inputs.some((each) => each.name === name))
  )
    throw new Refusal('an input is missing');
  return decoded;
};

const check = (input: Input, bytes: Buffer, fault: Fault): Input => {
  const wanted = echoTensors.find(({ name }) => name === input.name);
  if (wanted === undefined) {
    if (fault === 'unknown input taken') return input;
    throw new Refusal('no such input');
  }
  checkForm(input, wanted, fault);
  const count = input.shape.reduce((product, each) => product * each, 1);
  const data =
    input.data === undefined
      ? decodeRaw(wanted.datatype, bytes, count, fault)
      : input.data.flat(32);
  if (fault !== 'few values taken' && data.length !== count) throw new Refusal('wrong number');
  if (fault !== 'text taken as number' && !data.every(isNumber)) throw new Refusal('no number');
  return { ...input, data };
};

const checkForm = (input: Input, wanted: Omit<Input, 'data'>, fault: Fault): void => {
  const { datatype, shape, data } = input;
  const known = ['FP32', 'FP64', 'INT64', 'INT8'].includes(datatype);
  if (!known || (fault !== 'datatype not checked' && datatype !== wanted.datatype))
    throw new Refusal('wrong datatype');
  if (!Array.isArray(shape)) throw new Refusal('no shape');
  if (fault !== 'wrong shape taken' && shape.length !== wanted.shape.length)
    throw new Refusal('wrong shape');
  if (fault === 'nested data refused' && Array.isArray(data?.[0])) throw new Refusal('nested data');
};

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && value.startsWith('int:'));

const decodeRaw = (datatype: string, bytes: Buffer, count: number, fault: Fault): unknown[] => {
  const size = datatype === 'FP32' ? 4 : 8;
  if (fault !== 'raw size not checked' && bytes.length !== size * count)
    throw new Refusal('wrong raw size');
  return Array.from({ length: Math.min(count, Math.floor(bytes.length / size)) }, (_, i) =>
    datatype === 'FP32' ? bytes.readFloatLE(4 * i) : Number(bytes.readBigInt64LE(8 * i)),
  );
};

const encode = (datatype: string, data: readonly unknown[]): Buffer => {
  const size = datatype === 'FP32' ? 4 : 8;
  const bytes = Buffer.alloc(size * data.length);
  data.forEach((value, i) => {
    if (datatype === 'FP32') bytes.writeFloatLE(Number(value), 4 * i);
    else bytes.writeBigInt64LE(BigInt(Number(value)), 8 * i);
  });
  return bytes;
};
