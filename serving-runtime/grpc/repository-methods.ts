/** The model repository extension over gRPC. */
import type { RepositoryParts } from '../repository/repository-api.ts';
import { indexOf, loadModel, unloadModel } from '../repository/repository-api.ts';
import * as pb from './generated/inference_pb.js';
import type { Methods } from './method.ts';
import { unary } from './method.ts';

export function repositoryMethods(
  parts: RepositoryParts,
  path: (method: string) => string,
): Methods {
  return {
    [path('RepositoryIndex')]: unary(
      pb.RepositoryIndexRequestSchema,
      pb.RepositoryIndexResponseSchema,
      ({ ready }) => ({ models: [...indexOf(parts, { ready })] }),
    ),
    [path('RepositoryModelLoad')]: unary(
      pb.RepositoryModelLoadRequestSchema,
      pb.RepositoryModelLoadResponseSchema,
      async ({ modelName, parameters }) => {
        await loadModel(parts, modelName, read(parameters));
        return {};
      },
    ),
    [path('RepositoryModelUnload')]: unary(
      pb.RepositoryModelUnloadRequestSchema,
      pb.RepositoryModelUnloadResponseSchema,
      async ({ modelName, parameters }) => {
        await unloadModel(parts, modelName, read(parameters));
        return {};
      },
    ),
  };
}

const read = (
  parameters: Readonly<Record<string, pb.ModelRepositoryParameter>>,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, { parameterChoice }]) => [name, parameterChoice.value]),
  );
