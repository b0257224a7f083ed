import { expectSame, expectThat, type Case } from '../case.ts';
import { expectRefused } from '../inference.ts';
import { call, jsonOf } from '../target.ts';

/** Health and metadata: https://github.com/kserve/open-inference-protocol, "Health", "Metadata". */
export const aboutCases: readonly Case[] = [
  ...['/v2/health/live', '/v2/health/ready'].map((path) => ({
    name: `GET ${path} answers 200`,
    check: async ({ url }: { readonly url: string }) => {
      expectSame((await call(url + path)).status, 200, 'status');
    },
  })),
  {
    name: 'GET /v2 tells name, version and extensions of the server',
    check: async ({ url }) => {
      const about = jsonOf(await call(`${url}/v2`)) as Record<string, unknown>;
      const { name, version, extensions } = about;
      expectThat(
        typeof name === 'string' && typeof version === 'string',
        'name and version',
        about,
      );
      expectThat(Array.isArray(extensions), 'a list of extensions', about);
    },
  },
  {
    name: 'the metadata of the model names each tensor with datatype and shape',
    check: async ({ metadata, model }) => {
      expectSame(metadata.name, model, 'name');
      expectThat(metadata.inputs.length > 0, 'inputs', metadata);
      expectThat(metadata.outputs.length > 0, 'outputs', metadata);
      for (const { name, datatype, shape } of [...metadata.inputs, ...metadata.outputs]) {
        expectThat(typeof name === 'string' && name !== '', 'a name', metadata);
        expectThat(
          /^(BOOL|U?INT(8|16|32|64)|FP(16|32|64)|BF16|BYTES)$/.test(datatype),
          'a datatype',
          datatype,
        );
        expectThat(Array.isArray(shape) && shape.every(Number.isInteger), 'a shape', shape);
      }
    },
  },
  {
    name: 'a loaded model is ready',
    check: async ({ url, model }) => {
      expectSame((await call(`${url}/v2/models/${model}/ready`)).status, 200, 'status');
    },
  },
  {
    name: 'a model nobody has is refused with an error',
    check: async ({ url }) => expectRefused(await call(`${url}/v2/models/nobody-has-this`)),
  },
  {
    name: 'a version nobody has is refused with an error',
    check: async ({ url, model }) =>
      expectRefused(await call(`${url}/v2/models/${model}/versions/987654321`)),
  },
];
