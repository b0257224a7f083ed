/** Values of the database and the S3 server, bundled or of the user's own. */
import { z } from 'zod';

import { image, placement, podSecurity, resources, storage } from './value-blocks.ts';

export const postgresql = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Bring a PostgreSQL; false: externalDatabase is used.'),
    image: image(
      'docker.io',
      'library/postgres',
      '17',
      'Any image with the variables of the official one.',
    ),
    database: z.string().min(1).default('mlops').describe('Database to create.'),
    user: z.string().min(1).default('mlops').describe('User to create.'),
    existingSecret: z
      .string()
      .default('')
      .describe(
        'Secret with the key `password`; empty: one is created at the first install and kept for good.',
      ),
    storage: storage('8Gi'),
    resources: resources({ cpu: '100m', memory: '256Mi' }, { memory: '1Gi' }),
    podSecurityContext: podSecurity(
      999,
      'User and group of the pod: 999 is `postgres` in the official image. On OpenShift set all three to null.',
    ),
    ...placement,
  })
  .prefault({})
  .describe(
    'The bundled PostgreSQL: one pod, for a start. Production takes one that is run and backed up.',
  );

export const externalDatabase = z
  .strictObject({
    host: z.string().default('').describe('Host; or leave it empty and give urlKey.'),
    port: z.int().min(1).max(65535).default(5432).describe('Port.'),
    database: z.string().default('mlops').describe('Database.'),
    user: z.string().default('mlops').describe('User.'),
    existingSecret: z
      .string()
      .default('')
      .describe('Secret with the password, or with the whole URL.'),
    passwordKey: z.string().default('password').describe('Key of the password in that Secret.'),
    urlKey: z
      .string()
      .default('')
      .describe('Key of a postgres:// URL in that Secret, instead of host and password.'),
    tls: z
      .enum(['disable', 'require', 'verify-full'])
      .default('require')
      .describe('disable: plain; require: encrypted; verify-full: certificate checked too.'),
    caSecret: z
      .string()
      .default('')
      .describe('Secret with the key `ca.crt`: the authority for verify-full.'),
  })
  .prefault({})
  .describe('A PostgreSQL of your own, with postgresql.enabled=false.');

export const s3 = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Bring an S3 server; false: externalS3 is used.'),
    image: image('docker.io', 'versity/versitygw', 'v1.8.0', 'A Versity S3 Gateway image.'),
    bucket: z.string().min(3).default('mlops').describe('Bucket for artifacts.'),
    existingSecret: z
      .string()
      .default('')
      .describe(
        'Secret with the keys `access-key` and `secret-key`; empty: one is created at the first install and kept for good.',
      ),
    storage: storage('20Gi'),
    resources: resources({ cpu: '100m', memory: '128Mi' }, { memory: '1Gi' }),
    podSecurityContext: podSecurity(
      1000,
      'User and group of the pod. On OpenShift set all three to null.',
    ),
    ...placement,
  })
  .prefault({})
  .describe('The bundled S3 server: one pod, for a start.');

export const externalS3 = z
  .strictObject({
    endpoint: z.string().default('').describe('URL of the S3 server.'),
    region: z.string().default('us-east-1').describe('Region.'),
    bucket: z.string().default('mlops').describe('Bucket; created when it does not exist.'),
    existingSecret: z.string().default('').describe('Secret with the keys.'),
    accessKeyKey: z
      .string()
      .default('access-key')
      .describe('Key of the access key in that Secret.'),
    secretKeyKey: z
      .string()
      .default('secret-key')
      .describe('Key of the secret key in that Secret.'),
    forcePathStyle: z
      .boolean()
      .default(true)
      .describe('endpoint/bucket/key addresses; false for bucket.endpoint/key.'),
    presignEndpoint: z
      .string()
      .default('')
      .describe('Where pods reach the S3 server, if not at endpoint.'),
  })
  .prefault({})
  .describe('An S3 server of your own, with s3.enabled=false.');
