/** The OpenAPI 3.1 description of a loaded model (https://spec.openapis.org/oas/v3.1.1). Pure. */
import type { Datatype } from '../protocol/datatypes.ts';
import type { ModelMetadata } from '../protocol/messages.ts';
import type { TensorSignature } from '../protocol/signature.ts';
import { elementCount } from '../protocol/signature.ts';

type Json = Readonly<Record<string, unknown>>;

/** Of all models that are served, the default first. */
export function describeApi(models: readonly ModelMetadata[]): Json {
  const [first] = models;
  return {
    openapi: '3.1.0',
    info: {
      title: models.map(({ name }) => name).join(', '),
      version: first?.versions[0] ?? '',
      description: models.map(describe).join('\n\n'),
    },
    paths: {
      ...Object.fromEntries(models.flatMap((model) => pathsOf(model))),
      '/v2/health/ready': { get: { summary: 'Is the server ready?', responses: yesOrNotYet } },
      '/invocations': {
        post: {
          summary: "Predict, as MLflow's scoring server",
          parameters: [
            {
              ...{ name: 'model', in: 'query', schema: { enum: models.map(({ name }) => name) } },
              description: `Left out: ${first?.name ?? ''}.`,
            },
          ],
          requestBody: { required: true, content: jsonContent({ type: 'object' }) },
          responses: { '200': { description: '{"predictions": …}' } },
        },
      },
    },
  };
}

const yesOrNotYet = { '200': { description: 'Yes.' }, '503': { description: 'Not yet.' } };

const describe = ({ name, versions, parameters }: ModelMetadata): string =>
  `Model ${name}, version ${versions[0] ?? ''}, bytes ${parameters.digest}, over the Open Inference Protocol v2.`;

function pathsOf({ name, inputs, outputs }: ModelMetadata): readonly (readonly [string, Json])[] {
  const model = `/v2/models/${encodeURIComponent(name)}`;
  const predict = {
    summary: `Predict with ${name}`,
    requestBody: {
      required: true,
      content: jsonContent(requestSchema(inputs), exampleOf(inputs)),
    },
    responses: {
      '200': { description: 'The outputs.', content: jsonContent(answerSchema(outputs)) },
      default: { description: 'What is wrong.', content: jsonContent(errorSchema) },
    },
  };
  const metadata = {
    summary: `Inputs and outputs of ${name}`,
    responses: { '200': { description: 'Metadata.' } },
  };
  return [
    [`${model}/infer`, { post: predict }],
    [model, { get: metadata }],
    [`${model}/ready`, { get: { summary: `Is ${name} loaded?`, responses: yesOrNotYet } }],
  ];
}

/** A request that the model can answer: one row, sizes that may vary being 1, all values zero. */
export function exampleOf(inputs: readonly TensorSignature[]): Json {
  return {
    inputs: inputs.map(({ name, datatype, shape }) => {
      const dims = shape.map((dimension) => (dimension === -1 ? 1 : dimension));
      return { name, datatype, shape: dims, data: zeros(datatype, elementCount(dims)) };
    }),
  };
}

const zeros = (datatype: Datatype, count: number): readonly unknown[] =>
  new Array<unknown>(count).fill(datatype === 'BYTES' ? '' : datatype === 'BOOL' ? false : 0);

const jsonContent = (schema: Json, example?: Json): Json => ({
  'application/json': { schema, ...(example === undefined ? {} : { example }) },
});

const errorSchema: Json = { type: 'object', properties: { error: { type: 'string' } } };

const requestSchema = (inputs: readonly TensorSignature[]): Json => ({
  type: 'object',
  required: ['inputs'],
  properties: {
    id: { type: 'string' },
    inputs: tensorsSchema(inputs, ['name', 'datatype', 'shape', 'data']),
    outputs: {
      type: 'array',
      description: 'Left out: all of them.',
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    },
  },
});

const answerSchema = (outputs: readonly TensorSignature[]): Json => ({
  type: 'object',
  properties: {
    model_name: { type: 'string' },
    model_version: { type: 'string' },
    id: { type: 'string' },
    outputs: tensorsSchema(outputs, ['name', 'datatype', 'shape']),
  },
});

const tensorsSchema = (tensors: readonly TensorSignature[], required: readonly string[]): Json => ({
  type: 'array',
  items: {
    oneOf: tensors.map(({ name, datatype, shape }) => ({
      type: 'object',
      title: `${name}: ${datatype} [${shape.join(', ')}]`,
      required,
      properties: {
        name: { const: name },
        datatype: { const: datatype },
        shape: {
          type: 'array',
          prefixItems: shape.map((size) =>
            size === -1 ? { type: 'integer', minimum: 0 } : { const: size },
          ),
        },
        data: { type: 'array', description: 'Row by row, flat or nested as shape says.' },
      },
    })),
  },
});
