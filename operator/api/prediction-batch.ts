import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { batchLimits } from '../../serving-runtime/protocol/prediction-record.ts';
import type { NewPrediction, NewSketch } from '../store/predictions.ts';
import { Problem } from './problem.ts';

const inflate = promisify(gunzip);

/** The lines of a batch. Throws the Problems `InvalidRequest` and `TooLarge`. */
export const readLines = async (
  body: Buffer,
  encoding: string | undefined,
): Promise<readonly string[]> => {
  const lines = (await inflated(body, encoding)).toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > batchLimits.takenRecords) {
    throw new Problem(
      'TooLarge',
      `The batch has ${lines.length} records; send at most ${batchLimits.takenRecords} at a time.`,
    );
  }
  return lines;
};

const inflated = async (body: Buffer, encoding = 'identity'): Promise<Buffer> => {
  if (encoding === 'identity') return body;
  if (encoding !== 'gzip') {
    throw new Problem(
      'UnsupportedMediaType',
      `Content-Encoding ${encoding} is not read; send gzip or identity.`,
    );
  }
  try {
    return await inflate(body, { maxOutputLength: batchLimits.takenBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') {
      throw new Problem('InvalidRequest', 'The body is not gzip, as Content-Encoding says.', {
        cause: error,
      });
    }
    throw new Problem(
      'TooLarge',
      `The batch has more than ${batchLimits.takenBytes} bytes when unpacked; send fewer records at a time.`,
      { cause: error },
    );
  }
};

type Fields = Readonly<Record<string, unknown>>;

export type ParsedBatch = {
  readonly predictions: readonly NewPrediction[];
  readonly sketches: readonly NewSketch[];
};

/** Lines to rows; one that is no record refuses the batch, naming the line and the field. */
export const parseBatch = (lines: readonly string[]): ParsedBatch => {
  const predictions: NewPrediction[] = [];
  const sketches: NewSketch[] = [];
  lines.forEach((line, index) => {
    const fields = parseLine(line, index);
    const read = reader(fields, index);
    if (fields['type'] === 'prediction') predictions.push(predictionOf(read, line));
    else if (fields['type'] === 'sketch') sketches.push(sketchOf(read, line));
    else throw invalid(index, 'type', 'is neither "prediction" nor "sketch"');
  });
  return { predictions, sketches };
};

const predictionOf = (read: Reader, record: string): NewPrediction => ({
  id: read.text('id'),
  at: read.time('time'),
  unit: read.optionalText('unit'),
  variant: read.optionalText('variant'),
  version: read.text('version'),
  status: read.number('status', 100, 599),
  latencyMs: read.number('latencyMs', 0, 1e12),
  record,
});

const sketchOf = (read: Reader, sketch: string): NewSketch => ({
  version: read.text('version'),
  role: read.role('role'),
  feature: read.text('feature'),
  windowStart: read.time('windowStart'),
  windowMs: read.number('windowMs', 1, 86_400_000),
  sketch,
});

const parseLine = (line: string, index: number): Fields => {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Fields;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalid(index, '', 'is not one JSON object');
};

const MAX_TEXT = 512;

type Reader = ReturnType<typeof reader>;

/** Reads fields, and says which one is wrong. Texts are short and without NUL, which PostgreSQL refuses. */
const reader = (fields: Fields, line: number) => {
  const optionalText = (name: string): string | undefined => {
    const value = fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && value.length <= MAX_TEXT && !value.includes('\0')) {
      return value;
    }
    throw invalid(line, name, `is not a text of at most ${MAX_TEXT} characters`);
  };
  const text = (name: string): string => {
    const value = optionalText(name);
    if (value === undefined || value === '') throw invalid(line, name, 'is missing');
    return value;
  };
  const time = (name: string): string => {
    const at = new Date(text(name));
    if (Number.isNaN(at.getTime())) throw invalid(line, name, 'is not a time as RFC 3339 has it');
    return at.toISOString();
  };
  const number = (name: string, least: number, most: number): number => {
    const value = fields[name];
    if (typeof value === 'number' && value >= least && value <= most) return value;
    throw invalid(line, name, `is not a number from ${least} to ${most}`);
  };
  const role = (name: string): 'input' | 'output' => {
    const value = fields[name];
    if (value === 'input' || value === 'output') return value;
    throw invalid(line, name, 'is neither "input" nor "output"');
  };
  return { text, optionalText, time, number, role };
};

const invalid = (line: number, field: string, detail: string): Problem =>
  new Problem('InvalidRequest', `Line ${line + 1} of the batch: ${field} ${detail}.`, {
    faults: [{ pointer: `/body/${line}/${field}`, detail }],
  });
