/** grpc.health.v1.Health, as Kubernetes' probes and load balancers ask. */
import { create, toBinary } from '@bufbuild/protobuf';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { Readiness } from '../readiness.ts';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
  HealthCheckResponseSchema,
} from './generated/health_pb.js';
import { GRPCInferenceService } from './generated/inference_pb.js';
import type { Method, Methods } from './method.ts';
import { decodeMessage, unary } from './method.ts';

export function healthService(readiness: Readiness): Methods {
  const statusOf = (service: string): Status => {
    if (service !== '' && service !== GRPCInferenceService.typeName) return Status.SERVICE_UNKNOWN;
    return readiness.isReady ? Status.SERVING : Status.NOT_SERVING;
  };
  const check = unary(HealthCheckRequestSchema, HealthCheckResponseSchema, ({ service }) => {
    const status = statusOf(service);
    if (status !== Status.SERVICE_UNKNOWN) return { status };
    throw new ProtocolError(
      'UnknownModel',
      `there is no service "${service}"; ask for "" or "${GRPCInferenceService.typeName}"`,
    );
  });
  return {
    [`/${Health.typeName}/Check`]: check,
    [`/${Health.typeName}/Watch`]: watch(readiness, statusOf),
  };
}

/** The status now, and again whenever it has changed, until the client goes. */
const watch = (readiness: Readiness, statusOf: (service: string) => Status): Method => ({
  kind: 'streaming',
  converse: ({ stream }, send) => ({
    endsWithClient: false,
    received: (bytes) => {
      const { service } = decodeMessage(HealthCheckRequestSchema, bytes);
      let last: Status | undefined;
      const tell = () => {
        const status = statusOf(service);
        if (status === last) return;
        last = status;
        send(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status })));
      };
      tell();
      stream.once('close', readiness.onChange(tell));
    },
  }),
});
