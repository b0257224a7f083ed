import type { ServerMetadata } from './protocol/messages.ts';

export const serverMetadata: ServerMetadata = {
  name: 'mlops-serving-runtime',
  version: '0.1.0',
  extensions: ['binary_tensor_data'],
};
