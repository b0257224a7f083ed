import { z } from 'zod';
import { listOf, text } from './fields.ts';

const QUANTITY =
  /^\+?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$/;

const quantities = (description: string) =>
  z
    .record(
      z.string(),
      z
        .union([z.int(), z.string().max(64).regex(QUANTITY)])
        .meta({ 'x-kubernetes-int-or-string': true }),
    )
    .describe(description)
    .meta({ maxProperties: 32 });

/** `resources` of a container, with quantities written as in a Pod. */
export const resourceRequirements = (description: string) =>
  z
    .strictObject({
      requests: quantities(
        'What the scheduler sets aside, such as cpu: 100m, memory: 256Mi.',
      ).optional(),
      limits: quantities('The most a container may use, such as cpu: "1", memory: 1Gi.').optional(),
    })
    .describe(description);

/** A piece of a Kubernetes type, kept as it is written and checked with a dry run. */
export const fragment = (description: string) => z.looseObject({}).describe(description);

/** Fields of a pod's spec that are passed through. */
export const podFragment = fragment(
  "Fields of a pod's spec that are passed through as they are: nodeSelector, tolerations, affinity, topologySpreadConstraints, serviceAccountName, imagePullSecrets, priorityClassName, volumes and so on. Checked with a dry run.",
);

/** A container as in a Pod; only the fields that must be there are known here. */
export const container = z
  .looseObject({
    image: text('Image to run.', 1024),
    command: listOf(z.string().max(131072), "Program to run instead of the image's own.", {
      max: 256,
    }).optional(),
    args: listOf(
      z.string().max(131072),
      'Arguments of the program; ${…} placeholders are filled in.',
      { max: 256 },
    ).optional(),
  })
  .describe(
    'A container as in a Pod: image, command, args, env, resources, volumeMounts and so on.',
  );
