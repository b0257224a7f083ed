import { join } from 'node:path';
import { pythonWith } from '../../../e2e/integration/python.ts';

export const serviceFolder = join(import.meta.dirname, '..');

/** A Python with what the search service and its tests need. */
export const servicePython = (): Promise<string> =>
  pythonWith('hpo', join(serviceFolder, 'requirements-test.txt'));
