import { describe, expect, test } from '@jest/globals';
import { queuePage } from './queue-page.ts';

const idle = { ready: 0, retriesHeldBack: 0, active: [], delayed: [], failing: [] };

describe('the page of queues', () => {
  test('names what is at work, what fails and what is due, the worst first', () => {
    const deployment = {
      ready: 3,
      retriesHeldBack: 1,
      active: [
        { key: 'demo/quick', forMs: 20 },
        { key: 'demo/slow', forMs: 4_200 },
      ],
      delayed: [
        { key: 'demo/later', inMs: 30_000 },
        { key: 'demo/soon', inMs: 1_500 },
      ],
      failing: [{ key: 'demo/soon', attempts: 4, error: 'the server is overloaded' }],
    };
    expect(queuePage({ deployment, model: idle })).toBe(
      `deployment: 3 waiting (1 retries), 2 at work, 2 due later, 1 failing
  at work  demo/slow  for 4.2 s
  at work  demo/quick  for 0.0 s
  failing  demo/soon  4 times in a row: the server is overloaded
  due      demo/soon  in 1.5 s
  due      demo/later  in 30.0 s

model: 0 waiting, 0 at work, 0 due later, 0 failing
`,
    );
  });

  test('counts what is too much to name', () => {
    const delayed = Array.from({ length: 25 }, (_each, index) => ({ key: `a/${index}`, inMs: 1 }));
    expect(queuePage({ model: { ...idle, delayed } })).toContain('  … and 5 more\n');
  });
});
