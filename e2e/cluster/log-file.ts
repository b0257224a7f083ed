import { existsSync, readFileSync } from 'node:fs';

/** The last `count` lines of a log, or a sentence saying that there is none. */
export function lastLines(file: string, count: number): string {
  if (!existsSync(file)) return `(${file} does not exist)`;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.slice(-count).join('\n');
}
