/**
 * MLflow's scoring protocol onto tensors and back: dataframe_split, dataframe_records, instances, inputs.
 * Source: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/ (Inference Server
 * Specification). Pure.
 */
import type { InferenceRequest, RequestInput } from '../protocol/messages.ts';
import { isRecord } from '../protocol/is-record.ts';
import { invalidRequest } from '../protocol/protocol-error.ts';
import type { ModelSignature, TensorSignature } from '../protocol/signature.ts';

type Row = Readonly<Record<string, unknown>> | readonly unknown[];

const forms = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

/** The inference a scoring request asks for. Throws ProtocolError (400) saying which form is wanted. */
export function parseScoringRequest(body: unknown, signature: ModelSignature): InferenceRequest {
  if (!isRecord(body)) throw invalidRequest(`the body is not a JSON object with ${oneOf(forms)}`);
  const [form, ...more] = forms.filter((each) => Object.hasOwn(body, each));
  if (form === undefined || more.length > 0) {
    throw invalidRequest(`the body has to have exactly one of ${oneOf(forms)}`);
  }
  return {
    id: undefined,
    parameters: {},
    outputs: undefined,
    inputs:
      form === 'inputs' ? tensorsOf(body[form], signature) : rowsOf(form, body[form], signature),
  };
}

function tensorsOf(value: unknown, { inputs }: ModelSignature): readonly RequestInput[] {
  if (isRecord(value)) {
    return inputs.map((input) => {
      if (!Object.hasOwn(value, input.name)) throw missing(input.name, 'inputs');
      return tensorOf(input, value[input.name], `inputs.${input.name}`);
    });
  }
  return [tensorOf(only(inputs, 'inputs'), value, 'inputs')];
}

function rowsOf(
  form: 'dataframe_split' | 'dataframe_records' | 'instances',
  value: unknown,
  { inputs }: ModelSignature,
): readonly RequestInput[] {
  const rows = form === 'dataframe_split' ? splitRows(value) : arrayOf(value, form);
  if (rows.length === 0) throw invalidRequest(`${form}: has no rows`);
  if (rows.every((row) => !isRecord(row))) {
    return [tensorOf(only(inputs, form), rows, form)];
  }
  const records = rows.map((row, i) => {
    if (!isRecord(row)) throw invalidRequest(`${form}: row ${String(i)} is no object of columns`);
    return row;
  });
  return inputs.length === 1 && !Object.hasOwn(records[0] ?? {}, inputs[0]?.name ?? '')
    ? [tensorOf(only(inputs, form), records.map(Object.values), form)]
    : inputs.map((input) => columnOf(input, records, form));
}

function splitRows(value: unknown): readonly Row[] {
  if (!isRecord(value)) {
    throw invalidRequest('dataframe_split: is no object with "columns" and "data"');
  }
  const data = arrayOf(value['data'], 'dataframe_split.data');
  if (value['columns'] === undefined) return data as readonly Row[];
  const columns = arrayOf(value['columns'], 'dataframe_split.columns').map(String);
  return data.map((row, i) => {
    const values = arrayOf(row, `dataframe_split.data[${String(i)}]`);
    if (values.length !== columns.length) {
      throw invalidRequest(
        `dataframe_split.data[${String(i)}]: has ${String(values.length)} values for ${String(columns.length)} columns`,
      );
    }
    return Object.fromEntries(columns.map((column, at) => [column, values[at]]));
  });
}

/** One input of a model that has one for each column; a column of its own dimension where it wants that. */
function columnOf(
  input: TensorSignature,
  records: readonly Readonly<Record<string, unknown>>[],
  form: string,
): RequestInput {
  const values = records.map((record) => {
    if (!Object.hasOwn(record, input.name)) throw missing(input.name, form);
    return record[input.name];
  });
  const isColumn = input.shape.length === 2 && !Array.isArray(values[0]);
  return tensorOf(
    input,
    isColumn ? values.map((value) => [value]) : values,
    `${form}.${input.name}`,
  );
}

function tensorOf(
  { name, datatype }: TensorSignature,
  value: unknown,
  where: string,
): RequestInput {
  const data = arrayOf(value, where);
  return { name, datatype, shape: shapeOf(data), data, parameters: {} };
}

/** Of nested arrays by their first entries; the decoder refuses those that are not regular. */
function shapeOf(value: readonly unknown[]): readonly number[] {
  const shape: number[] = [];
  let level: unknown = value;
  while (Array.isArray(level) && shape.length < 32) {
    shape.push(level.length);
    level = (level as readonly unknown[])[0];
  }
  return shape;
}

/** The answer's body: the values of the only output, or of each by its name. */
export function formatPredictions(
  outputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly json: string;
  }[],
): string {
  const nested = outputs.map(({ shape, json }) => nest(json, shape));
  if (nested.length === 1) return `{"predictions":${nested[0] ?? '[]'}}`;
  const entries = outputs.map(({ name }, i) => `${JSON.stringify(name)}:${nested[i] ?? '[]'}`);
  return `{"predictions":{${entries.join(',')}}}`;
}

/** A flat JSON array as nested ones; its digits stay as they are. */
function nest(json: string, shape: readonly number[]): string {
  if (shape.length < 2) return json;
  const values = splitJsonArray(json);
  const build = (depth: number, from: number): string => {
    const length = shape[depth] ?? 0;
    const size = shape.slice(depth + 1).reduce((product, dimension) => product * dimension, 1);
    const parts = Array.from({ length }, (_, i) =>
      depth === shape.length - 1 ? (values[from + i] ?? 'null') : build(depth + 1, from + i * size),
    );
    return `[${parts.join(',')}]`;
  };
  return build(0, 0);
}

function splitJsonArray(json: string): readonly string[] {
  if (json === '[]') return [];
  if (!json.includes('"')) return json.slice(1, -1).split(',');
  return (JSON.parse(json) as readonly unknown[]).map((value) => JSON.stringify(value));
}

function only(inputs: readonly TensorSignature[], where: string): TensorSignature {
  const [input, ...more] = inputs;
  if (input !== undefined && more.length === 0) return input;
  const names = inputs.map(({ name }) => `"${name}"`).join(', ');
  throw invalidRequest(`${where}: the model has the inputs ${names}; name each of them`);
}

function arrayOf(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalidRequest(`${where}: is missing or no array`);
}

const missing = (name: string, where: string) =>
  invalidRequest(`${where}: the model's input "${name}" is missing`);

const oneOf = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
