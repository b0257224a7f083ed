import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { Tensor } from '../tensors.ts';
import type { ComputeRequest, WorkerMessage } from './worker-messages.ts';
import { WorkerPool } from './worker-pool.ts';

/** A thread that does what the test says. */
class ScriptedWorker extends EventEmitter {
  readonly requests: ComputeRequest[] = [];
  postMessage(request: ComputeRequest): void {
    this.requests.push(request);
  }
  async terminate(): Promise<void> {
    this.emit('exit', 1);
  }
  tell(message: WorkerMessage): void {
    this.emit('message', message);
  }
  answer(): void {
    const { id, inputs } = this.requests.shift() ?? { id: 0, inputs: new Map<string, Tensor>() };
    this.tell({ is: 'done', id, results: [...inputs.values()] });
  }
}

const x = (value: number): ReadonlyMap<string, Tensor> =>
  new Map([['x', { datatype: 'FP32', shape: [1], data: Float32Array.of(value) }]]);
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function aPool(size = 1, startsWith: WorkerMessage = { is: 'ready' }) {
  const workers: ScriptedWorker[] = [];
  const world = { lost: [] as string[], pauses: [] as number[], startsWith };
  const pool = new WorkerPool({
    size,
    spawn: () => {
      const worker = new ScriptedWorker();
      workers.push(worker);
      setImmediate(() => {
        worker.tell(world.startsWith);
      });
      return worker;
    },
    onLost: (reason) => world.lost.push(reason),
    pause: async (ms) => {
      world.pauses.push(ms);
    },
  });
  return { pool, workers, world, started: pool.start() };
}

describe('a pool of computing threads', () => {
  test('gives each thread one computation at a time', async () => {
    const { pool, workers, started } = await aPool(2);
    await started;
    const results = [1, 2, 3].map((value) => pool.compute(x(value), ['y']));
    expect(workers.map(({ requests }) => requests.length)).toEqual([1, 1]);
    workers[0]?.answer();
    workers[1]?.answer();
    workers[0]?.answer();
    const values = (await Promise.all(results)).map(
      ([tensor]) => (tensor?.data as Float32Array)[0],
    );
    expect(values).toEqual([1, 2, 3]);
  });

  test('does not start where the model does not load', async () => {
    const { started, world } = await aPool(2, { is: 'useless', message: 'no memory' });
    await expect(started).rejects.toThrow('no memory');
    expect(world.lost).not.toEqual([]);
  });

  test('tries again what a lost thread had under way, and gives up the second time', async () => {
    const { pool, workers, world, started } = await aPool();
    await started;
    const saved = pool.compute(x(1), ['y']);
    workers[0]?.emit('error', new Error('out of memory'));
    workers[0]?.emit('exit', 1);
    await turn();
    await turn();
    workers[1]?.answer();
    await saved;
    expect(world.lost).toEqual(['out of memory']);

    const doomed = pool.compute(x(2), ['y']);
    const failed = expect(doomed).rejects.toMatchObject({ code: 'InferenceFailed' });
    for (const each of [1, 2]) {
      workers[each]?.emit('exit', 139);
      await turn();
      await turn();
    }
    await failed;
    expect(workers).toHaveLength(4);
  });

  test('passes on what the model says is wrong', async () => {
    const { pool, workers, started } = await aPool();
    await started;
    const refused = pool.compute(x(1), ['y']);
    workers[0]?.tell({ is: 'failed', id: 1, message: 'index out of range' });
    await expect(refused).rejects.toThrow('index out of range');
  });

  test('waits longer each time while threads cannot start, and goes on when they can', async () => {
    const { pool, workers, world, started } = await aPool();
    await started;
    world.startsWith = { is: 'useless', message: 'no memory' };
    workers[0]?.emit('exit', 1);
    while (world.pauses.length < 3) await turn();
    expect(world.pauses.slice(0, 3)).toEqual([100, 200, 400]);
    world.startsWith = { is: 'ready' };
    const result = pool.compute(x(5), ['y']);
    while (workers.at(-1)?.requests.length !== 1) await turn();
    workers.at(-1)?.answer();
    await result;
  });

  test('fails what is under way when it is closed', async () => {
    const { pool, started } = await aPool();
    await started;
    const results = [pool.compute(x(1), ['y']), pool.compute(x(2), ['y'])];
    const failed = Promise.allSettled(results);
    await pool.close();
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
