import { describe, expect, test } from '@jest/globals';
import { SimulatedProcess } from './simulated-process.ts';
import { SimulationClock } from './simulation-clock.ts';

describe('the clock of a simulation', () => {
  test('fires timers in order of time, then of setting', async () => {
    const clock = new SimulationClock(0);
    const fired: string[] = [];
    for (const [name, delay] of Object.entries({ c: 30, a: 10, b: 20, b2: 20, z: 99 }))
      clock.setTimeout(() => fired.push(`${name} at ${clock.now()}`), delay);
    await clock.advanceTo(50);
    expect(fired).toEqual(['a at 10', 'b at 20', 'b2 at 20', 'c at 30']);
    expect(clock.now()).toBe(50);
  });

  test('lets all that follows from a timer happen before the next', async () => {
    const clock = new SimulationClock(0);
    const steps: string[] = [];
    const follow = async (): Promise<void> => {
      for (let step = 0; step < 40; step++) await Promise.resolve();
      await new Promise<void>((resolve) => clock.immediate(resolve));
      steps.push('followed');
    };
    clock.setTimeout(() => void follow(), 1);
    clock.setTimeout(() => steps.push('next'), 1);
    await clock.advanceTo(1);
    expect(steps).toEqual(['followed', 'next']);
  });
});

describe('a simulated process', () => {
  const born = () => {
    const clock = new SimulationClock(0);
    return { clock, process: new SimulatedProcess(clock, 'p') };
  };

  test('that is paused finds its timers due when it wakes', async () => {
    const { clock, process } = born();
    const fired: number[] = [];
    process.clock.setTimeout(() => fired.push(clock.now()), 10);
    process.pause(100);
    await clock.advanceTo(200);
    expect(fired).toEqual([100]);
  });

  test('that is killed does nothing any more', async () => {
    const { clock, process } = born();
    const fired: number[] = [];
    process.clock.setTimeout(() => fired.push(clock.now()), 10);
    process.kill();
    await clock.advanceTo(200);
    expect(fired).toEqual([]);
  });

  test('with a wrong wall clock measures durations right', () => {
    const { process } = born();
    process.setWrongBy(60_000);
    expect([process.clock.now(), process.clock.monotonic()]).toEqual([60_000, 0]);
  });
});
