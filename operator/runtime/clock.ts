/** Time as the runtime sees it; tests and simulations pass a virtual one. */
export type Clock = {
  /** Milliseconds since the epoch, as the machine believes: it may be wrong, and it may jump. */
  now(): number;
  /** Milliseconds since some fixed moment; never jumps, so durations are measured with it. */
  monotonic(): number;
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
};

/** Opaque; only the clock that gave it knows what it is. */
export type TimerHandle = unknown;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** Waits, or returns early when the signal aborts. Never throws. */
export const pause = (clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = (): void => {
      clock.clearTimeout(handle);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const handle = clock.setTimeout(finish, delayMs);
    signal.addEventListener('abort', finish, { once: true });
  });
