import { z } from 'zod';
import { AGE_COLUMN, READY_COLUMN, REASON_COLUMN } from './columns.ts';
import {
  count,
  digest,
  listMap,
  listOf,
  localRef,
  metricName,
  modelRef,
  nameAndValue,
  semVer,
  tags,
  text,
} from './fields.ts';
import { defineKind } from './resource.ts';
import type { Resource, Served } from './resource.ts';
import { immutable, shaped, withRules } from './rules.ts';
import { statusOf } from './status.ts';

const storageUri = withRules(
  text(
    'Where the bytes are: s3://<bucket>/<path>, https://<host>/<path> or pvc://<claim>/<path>; a file or a folder.',
    2048,
  ),
  {
    rule: String.raw`self.matches(r'^(s3|https|pvc)://[^/\s]+/\S+$')`,
    message:
      'storageUri must be s3://<bucket>/<path>, https://<host>/<path> or pvc://<claim>/<path>, without spaces',
  },
  {
    rule: `!self.matches('://[^/]*@')`,
    message:
      'storageUri must not hold a user name or password: put them into a Secret and name it in secretRef',
  },
  {
    rule: String.raw`!self.matches(r'(?i)/(\.|%2e){1,2}(/|\?|#|$)')`,
    message: 'storageUri must not hold "." or ".." as a part of its path: write the path it means',
  },
);

export const modelFormat = z
  .strictObject({
    name: z
      .enum(['onnx', 'mlflow', 'other'])
      .describe('onnx, mlflow or other; only onnx can be deployed.'),
    version: text('Version of the format, such as the opset of an ONNX graph.', 63).optional(),
  })
  .describe('Format of the bytes.');

const spec = withRules(
  z
    .strictObject({
      modelRef: modelRef('The Model this is a version of.'),
      version: semVer('The version; unique in its Model, build metadata aside.'),
      storageUri,
      modelFormat: modelFormat.prefault({ name: 'onnx' }),
      verification: z
        .strictObject({
          digest: digest(
            'SHA-256 of the file; of a folder, that of its sorted list of "<sha256>  <path>" lines. Written as sha256: and 64 hexadecimal digits.',
          ),
        })
        .describe('What the bytes must be; a pod that finds others never becomes ready.')
        .optional(),
      source: z
        .strictObject({
          experimentRef: localRef('The Experiment that made it.', 'the Experiment').optional(),
          pipelineRunRef: localRef('The PipelineRun that made it.', 'the PipelineRun').optional(),
          runId: text('The tracked run that made it.', 64).optional(),
          parameters: listMap(
            nameAndValue('parameter'),
            'The parameters its trial was drawn with; of a single training, those it logged.',
            {
              max: 100,
            },
          ).optional(),
          seed: text(
            'The seed of the search it came from; of a single training, the parameter seed or random_state it logged.',
            64,
          ).optional(),
          image: shaped(
            text('The image it was trained in, as its pod had it: a name and a digest.', 1024),
            /^([^\s@]+@)?sha256:[0-9a-f]{64}$/,
            'must be <name>@sha256:<64 hexadecimal digits>, or the digest alone',
          ).optional(),
          datasets: listOf(
            z.strictObject({
              name: text('Name of the data.', 500),
              digest: text('Its digest, as the tracking client computed it.', 128),
            }),
            'The data it was trained and tested on, as far as the run logged them.',
            { max: 64 },
          ).optional(),
        })
        .describe('Where the version comes from.')
        .optional(),
      metrics: listMap(
        z.strictObject({
          name: metricName('Name of the metric.'),
          value: z.number().describe('Its value.'),
        }),
        'What was measured when the version was made.',
        { max: 256 },
      ).optional(),
      secretRef: localRef(
        'Secret with the credentials for an s3:// storageUri, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (optional AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL), or as a storage-config of KServe; only pods of this namespace mount it.',
        'the Secret',
      ).optional(),
      deletionPolicy: z
        .enum(['Retain', 'Delete'])
        .describe(
          'What happens to the bytes when this object is deleted. Versions the operator registers itself say Delete, because it wrote their bytes.',
        )
        .default('Retain'),
      tags: tags('Free names and values to search by; the only field that may change.').optional(),
    })
    .describe('The version; immutable once created, tags aside.'),
  ...immutable(
    [
      'modelRef',
      'version',
      'storageUri',
      'modelFormat',
      'verification',
      'source',
      'metrics',
      'secretRef',
      'deletionPolicy',
    ],
    'a version stays what it was; register a new one (only tags may change)',
  ),
);

const tensor = (what: string) =>
  z.strictObject({
    name: text(`Name of the ${what}.`, 1024),
    datatype: text(
      'Type of its elements in the words of the Open Inference Protocol, such as FP32.',
      32,
    ),
    shape: listOf(z.int(), 'Its shape; -1 stands for a size that is free.', { max: 32 }),
  });

const status = statusOf({
  digest: text('SHA-256 of the bytes that were read.', 128).optional(),
  sizeBytes: count('How many bytes there are.').optional(),
  inputs: listOf(tensor('input'), 'What the model wants.', { max: 1024 }).optional(),
  outputs: listOf(tensor('output'), 'What the model answers.', { max: 1024 }).optional(),
});

export const modelVersion = defineKind({
  kind: 'ModelVersion',
  plural: 'modelversions',
  singular: 'modelversion',
  shortNames: ['mlv'],
  description: 'One version of a Model: which bytes, where they are, and where they come from.',
  spec,
  status,
  printerColumns: [
    READY_COLUMN,
    REASON_COLUMN,
    { name: 'Model', type: 'string', jsonPath: '.spec.modelRef.name', description: 'The Model.' },
    { name: 'Version', type: 'string', jsonPath: '.spec.version', description: 'The version.' },
    {
      name: 'Format',
      type: 'string',
      jsonPath: '.spec.modelFormat.name',
      description: 'Format of the bytes.',
    },
    { name: 'Size', type: 'integer', jsonPath: '.status.sizeBytes', description: 'Size in bytes.' },
    AGE_COLUMN,
  ],
  implemented: true,
});

export type ModelVersionSpec = Served<typeof modelVersion.spec>;
export type ModelVersionStatus = Served<typeof modelVersion.status>;
export type ModelVersion = Resource<ModelVersionSpec, ModelVersionStatus>;
