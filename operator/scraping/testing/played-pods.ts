import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PodAddress } from '../pod-metrics.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback that plays pods. */
export type PlayedPods = {
  /** A pod behind this server; all get the same answers. */
  address(name: string, uid?: string): PodAddress;
  answer(handler: Handler): void;
  /** Resolves when the next request is there. */
  asked(): Promise<unknown>;
  close(): Promise<void>;
};

export const playPods = async (): Promise<PlayedPods> => {
  let handle: Handler = (_, response) => response.writeHead(503).end();
  const server = createServer((request, response) => handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: (name, uid = `uid-${name}`) => ({ uid, name, ip: '127.0.0.1', port }),
    answer: (handler) => {
      handle = handler;
    },
    asked: () => once(server, 'request'),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

export type Counters = {
  readonly answered: number;
  readonly failed?: number;
  /** Of the answered, how many took up to 0.1 s; the others took up to 1 s. */
  readonly fast?: number;
  readonly startedAt?: string;
};

/** The lines of the serving runtime's /metrics that are read. */
export const metricsText = (counters: Counters): string => {
  const { answered, failed = 0, fast = answered, startedAt } = counters;
  const of = 'model="iris",version="1.0.0"';
  const start = startedAt === undefined ? '' : startLine(startedAt);
  return `${start}# TYPE mlops_inference_requests_total counter
mlops_inference_requests_total{${of},code="200"} ${answered}
mlops_inference_requests_total{${of},code="500"} ${failed}
# TYPE mlops_inference_duration_seconds histogram
mlops_inference_duration_seconds_bucket{le="0.1",${of}} ${fast}
mlops_inference_duration_seconds_bucket{le="1",${of}} ${answered}
mlops_inference_duration_seconds_bucket{le="+Inf",${of}} ${answered}
`;
};

export const answering =
  (counters: Counters): Handler =>
  (_, response) =>
    response.end(metricsText(counters));

const startLine = (startedAt: string): string =>
  `process_start_time_seconds ${Date.parse(startedAt) / 1000}\n`;
