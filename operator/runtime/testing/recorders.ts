import type { InformerMetrics } from '../informer.ts';
import type { ControllerMetrics } from '../controller.ts';
import type { RuntimeLogger, RuntimeMetrics } from '../operator.ts';

export type LogLine = {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
};

/** A logger that keeps its lines. */
export const memoryLogger = (): RuntimeLogger & { readonly lines: readonly LogLine[] } => {
  const lines: LogLine[] = [];
  const at =
    (level: LogLine['level']) =>
    (fields: object, message: string): void =>
      void lines.push({ level, fields: { ...fields }, message });
  const logger = {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
};

export type Measured = {
  readonly restarts: string[];
  readonly results: string[];
  readonly waits: number[];
  retries: number;
  depth: number;
};

/** Metrics that keep what was measured, of all controllers and informers together. */
export const memoryMetrics = (): {
  readonly measured: Measured;
  readonly informers: InformerMetrics;
  readonly controller: ControllerMetrics;
  readonly runtime: RuntimeMetrics;
} => {
  const measured: Measured = { restarts: [], results: [], waits: [], retries: 0, depth: 0 };
  const informers: InformerMetrics = {
    restarted: (resource, cause) => void measured.restarts.push(`${resource} ${cause}`),
    cached: () => undefined,
  };
  const controller: ControllerMetrics = {
    depth: (keys) => void (measured.depth = keys),
    added: () => undefined,
    waited: (seconds) => void measured.waits.push(seconds),
    worked: () => undefined,
    retried: () => void (measured.retries += 1),
    reconciled: (result) => void measured.results.push(result),
  };
  const runtime = { informers, controller: () => controller, leads: () => undefined };
  return { measured, informers, controller, runtime };
};
