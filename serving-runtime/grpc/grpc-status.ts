/** Status codes of gRPC and how they are written: https://grpc.github.io/grpc/core/md_doc_statuscodes.html. Pure. */
import type { ProtocolErrorCode } from '../protocol/protocol-error.ts';

export const grpcStatus = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

export const statusOf: Readonly<Record<ProtocolErrorCode, number>> = {
  InvalidRequest: grpcStatus.INVALID_ARGUMENT,
  Forbidden: grpcStatus.PERMISSION_DENIED,
  UnknownModel: grpcStatus.NOT_FOUND,
  NotFound: grpcStatus.UNIMPLEMENTED,
  MethodNotAllowed: grpcStatus.UNIMPLEMENTED,
  RequestTimeout: grpcStatus.CANCELLED,
  Conflict: grpcStatus.FAILED_PRECONDITION,
  LoadFailed: grpcStatus.FAILED_PRECONDITION,
  BodyTooLarge: grpcStatus.RESOURCE_EXHAUSTED,
  UnsupportedEncoding: grpcStatus.UNIMPLEMENTED,
  NotRepresentable: grpcStatus.INVALID_ARGUMENT,
  TooManyRequests: grpcStatus.RESOURCE_EXHAUSTED,
  TooManyHeaders: grpcStatus.RESOURCE_EXHAUSTED,
  InferenceFailed: grpcStatus.INTERNAL,
  NotReady: grpcStatus.UNAVAILABLE,
  CircuitOpen: grpcStatus.UNAVAILABLE,
  DeadlineExceeded: grpcStatus.DEADLINE_EXCEEDED,
};

/** `grpc-message`: UTF-8 with all but printable ASCII, and the percent sign, percent-encoded. */
export function encodeStatusMessage(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Milliseconds of a `grpc-timeout` header; `undefined` where it is not one. */
export function parseGrpcTimeout(value: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(value) ?? [];
  const factor = unitMs[unit];
  return factor === undefined ? undefined : Number(digits) * factor;
}
