import { describe, expect, test } from '@jest/globals';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { Tensor } from '../tensors.ts';
import { wanted } from './compute.ts';
import { Scheduler } from './scheduler.ts';

const tensor = (values: readonly number[], width = 1): Tensor => ({
  datatype: 'FP32',
  shape: [values.length / width, width],
  data: Float32Array.from(values),
});
const asking = (values: readonly number[], width = 1) => ({
  ...{ inputs: new Map([['x', tensor(values, width)]]), outputs: ['y'] },
  refusal: wanted as () => ProtocolError | undefined,
});
const numbers = (results: readonly Tensor[]) => [...(results[0]?.data as Float32Array)];
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A model that doubles; each computation ends when the test says so. */
function aScheduler({ maxRows = 8, width = 1, maxWaitMs = 0 } = {}) {
  const world = {
    began: [] as string[],
    joined: true,
    admitted: 0,
    answers: (data: Tensor): Tensor => data,
  };
  const ends: (() => void)[] = [];
  const scheduler = new Scheduler(
    {
      compute: async (inputs) => {
        const x = inputs.get('x');
        if (x === undefined) throw new Error('no x');
        await new Promise<void>((resolve) => ends.push(resolve));
        const data = (x.data as Float32Array).map((value) => 2 * value);
        return [world.answers({ ...x, data })];
      },
      width: () => width,
      admitted: () => world.admitted,
    },
    { maxRows, maxWaitMs },
    {
      began: (rows, requests) => world.began.push(`${String(rows)} rows of ${String(requests)}`),
      refusedToJoin: () => {
        world.joined = false;
      },
    },
  );
  const end = async () => {
    ends.shift()?.();
    await turn();
  };
  return { scheduler, world, end };
}

describe('requests that come while the model computes', () => {
  test('are computed together, each with its own answer', async () => {
    const { scheduler, world, end } = aScheduler();
    const first = scheduler.run(asking([1]));
    const others = [scheduler.run(asking([2, 3])), scheduler.run(asking([4]))];
    await end();
    expect(numbers(await first)).toEqual([2]);
    await end();
    expect((await Promise.all(others)).map(numbers)).toEqual([[4, 6], [8]]);
    expect(world.began).toEqual(['1 rows of 1', '3 rows of 2']);
  });

  test('fill batches of at most so many rows, in order', async () => {
    const { scheduler, world, end } = aScheduler({ maxRows: 3 });
    const all = [[1], [2, 2], [3, 3], [4], [5, 5, 5, 5]].map((rows) => scheduler.run(asking(rows)));
    for (let i = 0; i < 4; i++) await end();
    expect((await Promise.all(all)).map((results) => numbers(results)[0])).toEqual([
      2, 4, 6, 8, 10,
    ]);
    expect(world.began).toEqual(['1 rows of 1', '3 rows of 2', '2 rows of 1', '4 rows of 1']);
  });

  test('of other shapes or outputs are computed by themselves', async () => {
    const { scheduler, world, end } = aScheduler();
    const all = [
      ...[scheduler.run(asking([1])), scheduler.run(asking([2, 2], 2))],
      ...[scheduler.run({ ...asking([3]), outputs: ['z'] }), scheduler.run(asking([4]))],
    ];
    for (let i = 0; i < 4; i++) await end();
    await Promise.all(all);
    expect(world.began).toHaveLength(4);
  });

  test('are not computed when nobody wants them any more', async () => {
    const { scheduler, world, end } = aScheduler();
    const first = scheduler.run(asking([1]));
    const gone = scheduler.run({
      ...asking([2]),
      refusal: () => new ProtocolError('RequestTimeout', 'the client went away'),
    });
    const last = scheduler.run(asking([3]));
    await end();
    await expect(gone).rejects.toThrow('the client went away');
    await end();
    expect(numbers(await last)).toEqual([6]);
    await first;
    expect(world.began).toEqual(['1 rows of 1', '1 rows of 1']);
  });
});

describe('a batch', () => {
  test('that fails is computed one by one, so that none fails for another', async () => {
    const { scheduler, world, end } = aScheduler();
    world.answers = (answer) => {
      if ([...(answer.data as Float32Array)].includes(-2)) throw new Error('cannot have -1');
      return answer;
    };
    const all = [[1], [-1], [2]].map((rows) => scheduler.run(asking(rows)));
    const settled = Promise.allSettled(all);
    for (let i = 0; i < 4; i++) await end();
    expect((await settled).map(({ status }) => status)).toEqual([
      ...['fulfilled', 'rejected', 'fulfilled'],
    ]);
  });

  test('whose answer has other rows is computed one by one, and there are no more', async () => {
    const { scheduler, world, end } = aScheduler();
    world.answers = (answer) =>
      answer.data.length === 1 ? answer : { ...answer, shape: [1, answer.data.length] };
    const all = [[1], [2], [3]].map((rows) => scheduler.run(asking(rows)));
    for (let i = 0; i < 4; i++) await end();
    expect((await Promise.all(all)).map(numbers)).toEqual([[2], [4], [6]]);
    expect(world.joined).toBe(false);
  });
});

test('with several lanes as many computations are under way', async () => {
  const { scheduler, world, end } = aScheduler({ width: 2, maxRows: 1 });
  const all = [[1], [2], [3]].map((rows) => scheduler.run(asking(rows)));
  expect(world.began).toHaveLength(2);
  for (let i = 0; i < 3; i++) await end();
  await Promise.all(all);
  expect(world.began).toHaveLength(3);
});

describe('a free model', () => {
  test('waits for those that have been admitted, and begins when the last is there', async () => {
    const { scheduler, world, end } = aScheduler({ maxWaitMs: 60_000 });
    world.admitted = 2;
    const all = [scheduler.run(asking([1]))];
    expect(world.began).toEqual([]);
    all.push(scheduler.run(asking([2])));
    expect(world.began).toEqual(['2 rows of 2']);
    await end();
    expect((await Promise.all(all)).map(numbers)).toEqual([[2], [4]]);
  });

  test('waits no longer than it may', async () => {
    const { scheduler, world, end } = aScheduler({ maxWaitMs: 1 });
    world.admitted = 2;
    const alone = scheduler.run(asking([1]));
    while (world.began.length === 0) await turn();
    await end();
    expect(numbers(await alone)).toEqual([2]);
  });
});
