import { pino, type Logger } from 'pino';

export type { Logger };

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Paths that never reach a log, wherever they turn up. */
const SECRETS = [
  'authorization',
  'headers.authorization',
  '*.authorization',
  '*.password',
  '*.token',
  '*.secretAccessKey',
];

/**
 * JSON lines on stdout. ERROR: a person must act; WARN: will be retried; INFO: a state changed;
 * DEBUG: each pass.
 */
export const newLogger = (level: LogLevel): Logger =>
  pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRETS, censor: '[redacted]' },
  });
