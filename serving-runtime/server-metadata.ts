import type { ServerMetadata } from './protocol/messages.ts';

const repositoryExtensions = ['model_repository', 'model_repository(unload_dependents)'];
/** Raw tensors are part of gRPC's own protocol. */
export const grpcExtensions: readonly string[] = repositoryExtensions;

export const serverMetadata: ServerMetadata = {
  name: 'mlops-serving-runtime',
  version: '0.1.0',
  extensions: ['binary_tensor_data', ...repositoryExtensions],
};
