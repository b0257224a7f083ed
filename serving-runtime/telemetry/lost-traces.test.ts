import { expect, test } from '@jest/globals';
import { createLogger } from './logger.ts';
import { startTracing } from './tracing.ts';

test('a collector that is not there is told of, and holds up nobody', async () => {
  const log: string[] = [];
  const logger = createLogger('warn', {}, { write: (line) => log.push(line) });
  const tracing = startTracing({ endpoint: 'http://127.0.0.1:9', sampleRate: 1 }, logger);
  tracing.begin('infer', {})?.end(500, { model: 'm', version: '1' });
  const began = performance.now();
  await tracing.stop();
  expect(performance.now() - began).toBeLessThan(4000);
  expect(log.join('')).toContain('traces cannot be sent');
});
