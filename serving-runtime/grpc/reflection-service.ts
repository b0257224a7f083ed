/** grpc.reflection.v1 and v1alpha, so that grpcurl and the like need no files. */
import type { DescFile, MessageInitShape } from '@bufbuild/protobuf';
import { create, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { file_health } from './generated/health_pb.js';
import { file_inference } from './generated/inference_pb.js';
import type { ServerReflectionRequest } from './generated/reflection_pb.js';
import {
  file_reflection,
  ServerReflection,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from './generated/reflection_pb.js';
import { grpcStatus } from './grpc-status.ts';
import type { Method, Methods } from './method.ts';
import { decodeMessage } from './method.ts';

const files: readonly DescFile[] = [file_inference, file_health, file_reflection];
const fileBySymbol = new Map(
  files.flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file] as const)),
);

function symbolsOf(file: DescFile): readonly string[] {
  return [...nestedTypes(file)].flatMap((type) =>
    type.kind === 'service'
      ? [type.typeName, ...type.methods.map(({ name }) => `${type.typeName}.${name}`)]
      : [type.typeName],
  );
}

export function reflectionService(): Methods {
  const method: Method = {
    kind: 'streaming',
    converse: (_call, send) => ({
      endsWithClient: true,
      received: (bytes) => {
        const originalRequest = decodeMessage(ServerReflectionRequestSchema, bytes);
        const answer = create(ServerReflectionResponseSchema, {
          validHost: originalRequest.host,
          originalRequest,
          messageResponse: respond(originalRequest.messageRequest),
        });
        send(toBinary(ServerReflectionResponseSchema, answer));
      },
    }),
  };
  // The older name has the same messages; many clients ask for it first.
  return Object.fromEntries(
    [ServerReflection.typeName, 'grpc.reflection.v1alpha.ServerReflection'].map((service) => [
      `/${service}/ServerReflectionInfo`,
      method,
    ]),
  );
}

type Response = NonNullable<
  MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']
>;

function respond({ case: kind, value }: ServerReflectionRequest['messageRequest']): Response {
  if (kind === 'listServices') {
    const service = files.flatMap(({ services }) =>
      services.map(({ typeName: name }) => ({ name })),
    );
    return { case: 'listServicesResponse', value: { service } };
  }
  if (kind === 'fileContainingSymbol') return describeFile(fileBySymbol.get(value), value);
  if (kind === 'fileByFilename') {
    return describeFile(
      files.find(({ proto }) => proto.name === value),
      value,
    );
  }
  return describeFile(undefined, 'extensions');
}

function describeFile(file: DescFile | undefined, what: string): Response {
  if (file === undefined) {
    const value = { errorCode: grpcStatus.NOT_FOUND, errorMessage: `there is no ${what} here` };
    return { case: 'errorResponse', value };
  }
  const fileDescriptorProto = [toBinary(FileDescriptorProtoSchema, file.proto)];
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}
