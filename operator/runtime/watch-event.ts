import type { WatchEvent } from './cluster.ts';
import { GarbageError } from './json-lines.ts';

const TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

/** The lines of a watch, each looked at: JSON that is no event throws `GarbageError` as well. */
export async function* watchEvents(lines: AsyncIterable<unknown>): AsyncIterable<WatchEvent> {
  for await (const line of lines) {
    if (!isWatchEvent(line))
      throw new GarbageError(
        `A watch sent what is no event: ${JSON.stringify(line).slice(0, 200)}`,
      );
    yield line;
  }
}

const isWatchEvent = (line: unknown): line is WatchEvent => {
  if (!isRecord(line) || !TYPES.has(line['type']) || !isRecord(line['object'])) return false;
  if (line['type'] === 'ERROR') return true;
  const { metadata } = line['object'];
  if (!isRecord(metadata) || typeof metadata['resourceVersion'] !== 'string') return false;
  return line['type'] === 'BOOKMARK' || typeof metadata['name'] === 'string';
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
