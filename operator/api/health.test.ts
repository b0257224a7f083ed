import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createHealthServer } from './health.ts';

const server = (alive: boolean, notReady: readonly string[]) =>
  createHealthServer({
    log: pino({ level: 'silent' }),
    health: { alive: () => alive, notReady: async () => notReady },
    metrics: { contentType: 'text/plain; version=0.0.4', metrics: async () => 'up 1\n' },
    queues: () => ({
      model: { ready: 1, retriesHeldBack: 0, active: [], delayed: [], failing: [] },
    }),
  });

describe('the health routes', () => {
  test('say that all is well', async () => {
    const app = server(true, []);
    expect((await app.inject({ url: '/healthz' })).statusCode).toBe(200);
    expect((await app.inject({ url: '/readyz' })).body).toBe('ok\n');
  });

  test('say what is missing', async () => {
    const app = server(false, ['the cache of models is not synced', 'no leader yet']);
    expect((await app.inject({ url: '/healthz' })).statusCode).toBe(503);
    const ready = await app.inject({ url: '/readyz' });
    expect([ready.statusCode, ready.body]).toEqual([
      503,
      '- the cache of models is not synced\n- no leader yet\n',
    ]);
  });

  test('show the queues to a person in trouble', async () => {
    const response = await server(true, []).inject({ url: '/debug/queues' });
    expect(response.body).toBe('model: 1 waiting, 0 at work, 0 due later, 0 failing\n');
  });

  test('show the metrics', async () => {
    const response = await server(true, []).inject({ url: '/metrics' });
    expect([response.body, response.headers['content-type']]).toEqual([
      'up 1\n',
      'text/plain; version=0.0.4',
    ]);
  });
});
