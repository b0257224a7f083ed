/** OpenTelemetry: imported only where there is a collector, as it would be half of the memory. */
import type { TextMapGetter } from '@opentelemetry/api';
import {
  diag,
  DiagLogLevel,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './logger.ts';
import type { Tracing } from './request-trace.ts';

export type TracingConfig = {
  /** OTLP over HTTP. */
  readonly endpoint: string;
  /** Share of the requests that come without a trace of their own; of others the client decides. */
  readonly sampleRate: number;
};

/** As long as a batch may take, and what is left at the end. */
const sendMs = 3000;

const headerGetter: TextMapGetter<IncomingHttpHeaders> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, name) => headers[name],
};

export function startTracing({ endpoint, sampleRate }: TracingConfig, logger: Logger): Tracing {
  // Traces that are lost are told of, and nothing else depends on them.
  const lost = (message: string, ...details: unknown[]) => {
    logger.warn({ message, details: details.map(String) }, 'traces cannot be sent');
  };
  const quiet = () => undefined;
  diag.setLogger(
    { error: lost, warn: lost, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const sdk = new NodeSDK({
    serviceName: 'mlops-serving-runtime',
    instrumentations: [],
    // Logs and metrics have ways of their own; undefined would make the SDK look at the environment.
    logRecordProcessors: [],
    metricReaders: [],
    resourceDetectors: [],
    sampler: new ParentBasedSampler({
      root: new TraceIdRatioBasedSampler(sampleRate),
    }),
    traceExporter: new OTLPTraceExporter({
      url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
      timeoutMillis: sendMs,
    }),
  });
  sdk.start();
  const tracer = trace.getTracer('mlops-serving-runtime');
  return {
    begin: (name, headers) => {
      const parent = propagation.extract(ROOT_CONTEXT, headers, headerGetter);
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent);
      if (!span.isRecording()) return undefined;
      const inside = trace.setSpan(parent, span);
      return {
        // Times below those since 1970 are of the monotonic clock, for OpenTelemetry as for us.
        stage: (stage, began, ended) => {
          tracer.startSpan(stage, { startTime: began }, inside).end(ended);
        },
        end: (status, { model, version }) => {
          span.setAttributes({
            'http.response.status_code': status,
            ...{ 'mlops.model': model, 'mlops.version': version },
          });
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    stop: async () => {
      const over = sleep(sendMs, undefined, { ref: false });
      await Promise.race([sdk.shutdown().catch(lost), over]);
    },
  };
}
