/** What several values of the chart are made of. */
import { z } from 'zod';

export const quantity = z.string().regex(/^\d+(\.\d+)?([mkMGTPE]|[KMGTPE]i)?$/);
const amounts = z.record(z.string(), z.union([quantity, z.number().min(0)]));

export const resources = (requests: Record<string, string>, limits: Record<string, string>) =>
  z
    .strictObject({
      requests: amounts.default(requests).describe('What is reserved.'),
      limits: amounts.default(limits).describe('The most it may use.'),
    })
    .prefault({})
    .describe('Requests and limits of the container.');

export const image = (registry: string, repository: string, tag: string, about: string) =>
  z
    .strictObject({
      registry: z
        .string()
        .default(registry)
        .describe('Registry; global.imageRegistry goes before it.'),
      repository: z.string().min(1).default(repository).describe('Repository in the registry.'),
      tag: z
        .string()
        .default(tag)
        .describe(`Tag${tag === '' ? "; empty: the chart's appVersion" : ''}.`),
      digest: z
        .string()
        .regex(/^(sha256:[0-9a-f]{64})?$/)
        .default('')
        .describe('Digest (sha256:…); when given, the tag is not used.'),
    })
    .prefault({})
    .describe(about);

export const placement = {
  nodeSelector: z.record(z.string(), z.string()).default({}).describe('Nodes the pod may run on.'),
  tolerations: z.array(z.looseObject({})).default([]).describe('Taints the pod tolerates.'),
  affinity: z.looseObject({}).prefault({}).describe('Node and pod affinity.'),
  priorityClassName: z.string().default('').describe('PriorityClass of the pod.'),
};

export const storage = (size: string) =>
  z
    .strictObject({
      size: quantity.default(size).describe('Size of the volume; fixed once installed.'),
      storageClassName: z
        .string()
        .default('')
        .describe("StorageClass of the volume; empty: the cluster's default."),
    })
    .prefault({})
    .describe('The volume its data lies on.');

export const podSecurity = (user: number, about: string) =>
  z
    .looseObject({
      runAsUser: z.int().optional(),
      runAsGroup: z.int().optional(),
      fsGroup: z.int().optional(),
    })
    .prefault({ runAsUser: user, runAsGroup: user, fsGroup: user })
    .describe(about);
