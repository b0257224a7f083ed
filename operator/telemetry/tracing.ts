import { SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { Spans } from '../runtime/spans.ts';

/** Sends traces by OTLP over HTTP until stopped; what is buffered is sent at the end. */
export const startTracing = (endpoint: string): { stop(): Promise<void> } => {
  const sdk = new NodeSDK({
    serviceName: 'mlops-operator',
    instrumentations: [],
    // Logs and metrics have ways of their own; undefined would make the SDK look at the environment.
    logRecordProcessors: [],
    metricReaders: [],
    resourceDetectors: [],
    traceExporter: new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` }),
  });
  sdk.start();
  return { stop: () => sdk.shutdown() };
};

/** Spans of the global tracer: of no cost and no effect unless tracing was started. */
export const openTelemetrySpans: Spans = (name, attributes, work) =>
  trace.getTracer('mlops-operator').startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.recordException(error instanceof Error ? error : String(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
