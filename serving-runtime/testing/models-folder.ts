import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Path of one of the small models that make-models.py writes. */
export function modelPath(name: string): string {
  return join(import.meta.dirname, 'models', name);
}

export function modelBytes(name: string): Buffer {
  return readFileSync(modelPath(name));
}
