import { pino } from 'pino';

/** Constant messages, facts as fields. ERROR and FATAL: a person must act. */
export type Logger = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
};

type Destination = { write(line: string): void };

/** JSON lines on standard output, written at once so that the last words before an exit are kept. */
export function createLogger(
  level: string,
  fields: Readonly<Record<string, string>>,
  destination: Destination = pino.destination({ sync: true }),
): Logger {
  return pino(
    {
      level,
      base: fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    destination,
  );
}
