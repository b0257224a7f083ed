import { z } from 'zod';

import { image, placement, quantity, resources } from './value-blocks.ts';
import { externalDatabase, externalS3, postgresql, s3 } from './values-services.ts';

/**
 * Every value of the chart with its default and meaning. `generate.ts` makes values.yaml,
 * values.schema.json and the README's table of it, so the three cannot drift apart.
 */

const global = z
  .looseObject({
    imageRegistry: z
      .string()
      .default('')
      .describe(
        'Registry to take every image from instead of its own, for mirrors and air-gapped sites.',
      ),
    imagePullSecrets: z
      .array(z.string())
      .default([])
      .describe(
        'Names of imagePullSecrets for every pod of the chart and every pod the operator creates.',
      ),
  })
  .prefault({})
  .describe('What all images have in common.');

const duration = z.string().regex(/^(\d+(ms|s|m|h|d))+$/);

const operator = z
  .strictObject({
    replicas: z
      .int()
      .min(0)
      .default(2)
      .describe(
        'Pods. All of them serve the API; the holder of the Lease reconciles (with shards: each its share).',
      ),
    image: image('localhost', 'mlops-operator', '', "The operator's image."),
    resources: resources({ cpu: '100m', memory: '256Mi' }, { memory: '1Gi' }),
    ...placement,
    topologySpreadConstraints: z
      .array(z.looseObject({}))
      .default([])
      .describe('How pods spread; empty: over nodes where possible.'),
    podAnnotations: z
      .record(z.string(), z.string())
      .default({})
      .describe('Annotations of the pods.'),
    podDisruptionBudget: z.boolean().default(true).describe('Keep one replica during drains.'),
    terminationGracePeriodSeconds: z
      .int()
      .min(5)
      .default(45)
      .describe('Time for passes and requests under way to end.'),
    logLevel: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
      .default('info')
      .describe('Least severe level that is logged.'),
    workers: z
      .string()
      .regex(/^[1-9]\d*(,[a-z]+=[1-9]\d*)*$/)
      .default('4')
      .describe('Objects reconciled at once by each controller: "4" or "4,experiments=8".'),
    shards: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe(
        'Shares of the namespaces that the pods divide among them; 1: one pod reconciles, the others stand by.',
      ),
    leaderElection: z
      .strictObject({
        leaseDuration: duration
          .default('15s')
          .describe('Another pod takes over when it has seen a Lease unchanged for this long.'),
        renewDeadline: duration
          .default('10s')
          .describe('A pod that could not renew a Lease for this long stops working; shorter.'),
        retryPeriod: duration
          .default('2s')
          .describe('Time between two looks at a Lease; shorter still.'),
      })
      .prefault({})
      .describe('How long a dead pod keeps its work from the others.'),
    finalizerDeadline: duration
      .default('5m')
      .describe('How long a deleted object waits for an outside system before it is let go.'),
    maxArtifactSize: quantity.default('1Gi').describe('Largest artifact accepted.'),
    allowPrivateHosts: z
      .array(z.string())
      .default([])
      .describe('Hosts with private addresses that https:// storage URIs may name; ["*"]: all.'),
    metricHosts: z
      .array(z.string())
      .default([])
      .describe(
        'Hosts with private addresses that canary metrics may be asked of, as host or host:port, such as prometheus.monitoring.svc:9090; all namespaces can then read what they tell. ["*"]: all.',
      ),
    webhookHosts: z
      .array(z.string())
      .default([])
      .describe(
        'Hosts with private addresses that webhooks of the registry may be sent to, also by http, as host or host:port. ["*"]: all.',
      ),
    apiUrl: z
      .string()
      .default('')
      .describe("Where pods in tenant namespaces reach the API; empty: the chart's Service."),
    otlpEndpoint: z
      .string()
      .default('')
      .describe('OTLP/HTTP endpoint for traces; empty: none are sent.'),
  })
  .prefault({})
  .describe('The operator: controllers and API.');

const serving = z
  .strictObject({
    image: image('localhost', 'mlops-serving-runtime', '', 'Image of the pods that serve models.'),
  })
  .prefault({})
  .describe('The serving runtime.');

const storageProxy = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe("Run it, on port 8091; it reviews pods' tokens with a ServiceAccount of its own."),
    threads: z
      .int()
      .min(1)
      .max(64)
      .default(8)
      .describe('Calls a pod works on at once; each holds a connection to PostgreSQL.'),
  })
  .prefault({})
  .describe("Optuna's gRPC storage proxy: users' own scripts on the studies of their namespace.");

const hpo = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Run it; false: Experiments train once and cannot search over parameters.'),
    image: image('localhost', 'mlops-operator-hpo', '', 'Image of the search service.'),
    replicas: z
      .int()
      .min(1)
      .default(1)
      .describe('Pods. All of them answer; what was drawn is in PostgreSQL.'),
    resources: resources({ cpu: '50m', memory: '192Mi' }, { memory: '1Gi' }),
    ...placement,
    podDisruptionBudget: z.boolean().default(true).describe('Keep all but one during drains.'),
    terminationGracePeriodSeconds: z
      .int()
      .min(5)
      .default(40)
      .describe('Time for draws under way to end.'),
    maxBodySize: z
      .int()
      .min(65_536)
      .default(4_194_304)
      .describe('Largest request in bytes; the definition of a study comes with every one.'),
    threads: z
      .int()
      .min(1)
      .max(64)
      .default(8)
      .describe('Requests a pod works on at once; each holds up to two connections to PostgreSQL.'),
    storageProxy,
  })
  .prefault({})
  .describe('The search service (Optuna), which draws parameters of trials.');

const children = z
  .strictObject({
    resources: resources({ cpu: '100m', memory: '256Mi' }, { cpu: '1', memory: '1Gi' }),
  })
  .prefault({})
  .describe(
    'Containers of the pods the operator creates, where the user gives none; so quotas and LimitRanges work.',
  );

export const values = z
  .strictObject({
    global,
    fullnameOverride: z
      .string()
      .max(40)
      .default('')
      .describe('Name of all objects of the chart instead of the release name.'),
    imagePullPolicy: z
      .enum(['Always', 'IfNotPresent', 'Never'])
      .default('IfNotPresent')
      .describe('For every pod of the chart and every container the operator adds.'),
    watchNamespaces: z
      .array(z.string())
      .default([])
      .describe('Namespaces to work in, with Roles there only; empty: all.'),
    crds: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Install and upgrade the CRDs with the chart.'),
        keep: z
          .boolean()
          .default(true)
          .describe('Leave the CRDs, and with them every object, when the chart is uninstalled.'),
      })
      .prefault({})
      .describe('The custom resource definitions.'),
    operator,
    serving,
    hpo,
    children,
    postgresql,
    externalDatabase,
    s3,
    externalS3,
    serviceAccount: z
      .strictObject({
        annotations: z.record(z.string(), z.string()).default({}).describe('Annotations.'),
      })
      .prefault({})
      .describe("The operator's ServiceAccount."),
    rbac: z
      .strictObject({
        aggregateRoles: z
          .boolean()
          .default(true)
          .describe("Add our kinds to the cluster's view, edit and admin roles."),
      })
      .prefault({})
      .describe('Permissions of people.'),
    networkPolicy: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe('Restrict who reaches PostgreSQL, S3 and the operator.'),
        apiServerPorts: z
          .array(z.int())
          .default([443, 6443])
          .describe('Ports of the Kubernetes API server.'),
        metricsFrom: z
          .array(z.looseObject({}))
          .default([])
          .describe(
            'NetworkPolicy peers that may read health and metrics; empty: everybody in the cluster.',
          ),
        extraEgress: z
          .array(z.looseObject({}))
          .default([])
          .describe(
            'More egress rules of the operator (an OTLP collector, hosts of https:// storage URIs).',
          ),
      })
      .prefault({})
      .describe('NetworkPolicies.'),
    metrics: z
      .strictObject({
        serviceMonitor: z
          .strictObject({
            enabled: z
              .boolean()
              .default(false)
              .describe('Create it; needs the Prometheus Operator.'),
            interval: z.string().default('30s').describe('Scrape interval.'),
            labels: z
              .record(z.string(), z.string())
              .default({})
              .describe('Labels your Prometheus selects by.'),
          })
          .prefault({})
          .describe('ServiceMonitor of the operator.'),
      })
      .prefault({})
      .describe('Metrics.'),
  })
  .prefault({});
