import { z } from 'zod';

import { bytes, duration, flag, integer, list, resources, url, workers } from './config-values.ts';

/**
 * Every setting of the operator, by the environment variable that sets it: how the text is read,
 * what holds when it is absent, and what it means. The chart's Deployment sets the same names.
 */
export const SETTINGS = {
  MLOPS_NAMESPACE: z
    .string()
    .default('mlops-system')
    .describe("The operator's own namespace: its Lease, its events."),
  MLOPS_POD_NAME: z
    .string()
    .default('mlops-operator')
    .describe('This replica; its identity in leader election and in the audit log.'),
  MLOPS_WATCH_NAMESPACES: list
    .default([])
    .describe('Namespaces to watch, comma separated; empty means all.'),
  MLOPS_API_PORT: integer(1, 65_535).default(8080).describe('Port of the REST and MLflow API.'),
  MLOPS_HEALTH_PORT: integer(1, 65_535)
    .default(8081)
    .describe('Port of /healthz, /readyz and /metrics.'),
  MLOPS_API_URL: url(['http', 'https'])
    .default('http://mlops-operator.mlops-system.svc:8080')
    .describe('Where pods in tenant namespaces reach the API.'),

  MLOPS_DATABASE_URL: url(['postgres', 'postgresql'])
    .optional()
    .describe(
      'PostgreSQL as one URL; for development. Replaces the other MLOPS_DATABASE_ settings.',
    ),
  MLOPS_DATABASE_URL_FILE: z
    .string()
    .optional()
    .describe('A file that holds the PostgreSQL URL (a mounted Secret).'),
  MLOPS_DATABASE_HOST: z.string().optional().describe('PostgreSQL host.'),
  MLOPS_DATABASE_PORT: integer(1, 65_535).default(5432).describe('PostgreSQL port.'),
  MLOPS_DATABASE_NAME: z.string().default('mlops').describe('PostgreSQL database.'),
  MLOPS_DATABASE_USER: z.string().default('mlops').describe('PostgreSQL user.'),
  MLOPS_DATABASE_PASSWORD_FILE: z
    .string()
    .optional()
    .describe('A file that holds the password (a mounted Secret); read anew for each connection.'),
  MLOPS_DATABASE_TLS: z
    .enum(['disable', 'require', 'verify-full'])
    .default('disable')
    .describe(
      'disable: plain; require: encrypted, any certificate; verify-full: certificate checked.',
    ),
  MLOPS_DATABASE_CA_FILE: z
    .string()
    .optional()
    .describe('PEM file of the authority that signed the PostgreSQL certificate.'),

  MLOPS_S3_ENDPOINT: url(['http', 'https'])
    .default('http://mlops-operator-s3.mlops-system.svc:7070')
    .describe('S3 server.'),
  MLOPS_S3_REGION: z.string().default('us-east-1').describe('S3 region.'),
  MLOPS_S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no S3 bucket name')
    .default('mlops')
    .describe('Bucket for artifacts; created when it does not exist.'),
  MLOPS_S3_ACCESS_KEY_FILE: z
    .string()
    .default('/etc/mlops/s3/access-key')
    .describe('File that holds the S3 access key (a mounted Secret).'),
  MLOPS_S3_SECRET_KEY_FILE: z
    .string()
    .default('/etc/mlops/s3/secret-key')
    .describe('File that holds the S3 secret key (a mounted Secret).'),
  MLOPS_S3_FORCE_PATH_STYLE: flag
    .default(true)
    .describe('endpoint/bucket/key addresses; false for bucket.endpoint/key.'),
  MLOPS_S3_PRESIGN_ENDPOINT: url(['http', 'https'])
    .optional()
    .describe('Where pods reach the S3 server, if not at MLOPS_S3_ENDPOINT.'),
  MLOPS_S3_PRESIGN_EXPIRY: duration
    .default(3_600_000)
    .describe(
      'How long a presigned URL handed to a serving pod works; the last range of a large model is asked for near the end.',
    ),
  MLOPS_MAX_ARTIFACT_BYTES: bytes
    .default(1024 ** 3)
    .describe('Largest artifact accepted, as bytes or a quantity such as 1Gi.'),
  MLOPS_ALLOW_PRIVATE_HOSTS: list
    .default([])
    .describe(
      'Hosts with private addresses that https:// storage URIs may name, comma separated; * for all.',
    ),
  MLOPS_METRIC_HOSTS: list
    .default([])
    .describe(
      'Hosts with private addresses that canary metrics may be asked of, as host or host:port, comma separated; * for all.',
    ),
  MLOPS_WEBHOOK_HOSTS: list
    .default([])
    .describe(
      'Hosts with private addresses that webhooks may be sent to, also by http, as host or host:port, comma separated; * for all.',
    ),

  MLOPS_HPO_URL: url(['http', 'https'])
    .optional()
    .describe('The search service; without it Experiments that search say that there is none.'),

  MLOPS_SERVING_IMAGE: z
    .string()
    .min(1)
    .default('localhost/mlops-serving-runtime:dev')
    .describe('Image of the serving runtime.'),
  MLOPS_INSPECT_IMAGE: z
    .string()
    .min(1)
    .optional()
    .describe('Image of the Job that reads a new version; absent: MLOPS_SERVING_IMAGE.'),
  MLOPS_IMAGE_REGISTRY: z
    .string()
    .optional()
    .describe("Registry put before images of users' pods that name none."),
  MLOPS_IMAGE_PULL_POLICY: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .default('IfNotPresent')
    .describe('imagePullPolicy of the containers the operator adds.'),
  MLOPS_IMAGE_PULL_SECRETS: list
    .default([])
    .describe('Names of imagePullSecrets that every pod the operator creates gets.'),
  MLOPS_CHILD_RESOURCES: resources
    .default({ requests: { cpu: '100m', memory: '256Mi' }, limits: { cpu: '1', memory: '1Gi' } })
    .describe('Requests and limits of containers for which the user gives none, as JSON.'),

  MLOPS_WORKERS: workers
    .default({ default: 4, byKind: {} })
    .describe('Objects reconciled at once by each controller: "4" or "4,experiments=8".'),
  MLOPS_FINALIZER_DEADLINE: duration
    .default(300_000)
    .describe('How long a deleted object waits for an outside system before it is let go.'),
  MLOPS_LEADER_ELECTION: flag
    .default(true)
    .describe('Reconcile only while holding the Lease; false for a single local process.'),
  MLOPS_LEASE_NAME: z.string().default('mlops-operator').describe('Name of the Lease.'),
  MLOPS_LEASE_DURATION: duration
    .default(15_000)
    .describe('Another replica takes over when it has seen the Lease unchanged for this long.'),
  MLOPS_LEASE_RENEW_DEADLINE: duration
    .default(10_000)
    .describe('A leader that could not renew its Lease for this long does not lead any more.'),
  MLOPS_LEASE_RETRY_PERIOD: duration
    .default(2_000)
    .describe('Time between two looks at the Lease.'),
  MLOPS_SHARDS: integer(1, 256)
    .default(1)
    .describe(
      'Shares of the namespaces, each with a Lease of its own, that replicas divide among them.',
    ),
  MLOPS_SPOOL_MAX_ENTRIES: integer(100, 10_000_000)
    .default(20_000)
    .describe('Changes kept in memory while PostgreSQL is down; beyond it a gap is recorded.'),
  MLOPS_SPOOL_MAX_BYTES: bytes.default(64 * 1024 ** 2).describe('Memory those changes may take.'),

  MLOPS_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .default('info')
    .describe('Least severe level that is logged.'),
  MLOPS_OTLP_ENDPOINT: url(['http', 'https'])
    .optional()
    .describe('OTLP/HTTP endpoint for traces; none are sent without it.'),
} as const;

/** What each setting is once it has been read. */
export type Settings = { [K in keyof typeof SETTINGS]: z.infer<(typeof SETTINGS)[K]> };
