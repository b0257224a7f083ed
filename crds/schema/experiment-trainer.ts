import { z } from 'zod';
import { integer } from './fields.ts';

/**
 * Where numNodes is more than 1, names of pods hold more: 63 characters of a hostname, less six for
 * the trial ("-99999"), three for its retry ("-r9") and four for the node ("-999").
 */
export const MULTI_NODE_NAME_MAX = 50;

/**
 * Training on several machines, with the field names of Kubeflow Trainer v2
 * (https://www.kubeflow.org/docs/components/trainer/) and its port.
 */
export const trainer = z
  .strictObject({
    numNodes: integer(
      'How many pods one trial runs on. More than 1: its Job is an Indexed Job of that many pods that find one another by name, with the environment torchrun reads (PET_NNODES, PET_NODE_RANK, PET_MASTER_ADDR and so on). The trial succeeds when all pods have, and fails when one does.',
      1,
      1000,
    ).default(1),
    numProcPerNode: integer(
      'How many processes torchrun starts in each pod (PET_NPROC_PER_NODE). With 1, RANK and WORLD_SIZE are set, too, for programs that are started without torchrun.',
      1,
      1024,
    ).default(1),
    port: integer(
      'The port at which the first pod is met by the others (PET_MASTER_PORT, MASTER_PORT).',
      1024,
      65535,
    ).default(29400),
  })
  .describe('How many machines one trial trains on.');

/** The name of every pod of every trial has to be a hostname. */
export const multiNodeNameFits = {
  rule: `!has(self.spec.trainer) || self.spec.trainer.numNodes <= 1 || size(self.metadata.name) <= ${MULTI_NODE_NAME_MAX}`,
  message: `metadata.name must be at most ${MULTI_NODE_NAME_MAX} characters where spec.trainer.numNodes is more than 1, so that the hostnames of its pods fit`,
  fieldPath: '.metadata.name',
};
