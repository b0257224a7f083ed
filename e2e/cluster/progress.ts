import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type Timing = { readonly step: string; readonly seconds: number };

/** Says on standard error what is being done and how long it takes; standard output stays clean. */
export type Progress = {
  /** Runs one step, with a line before it, one a minute while it lasts, and one after it. */
  step<T>(label: string, work: () => Promise<T>): Promise<T>;
  note(text: string): void;
};

type Options = {
  readonly timingsFile: string;
  readonly now?: () => number;
  readonly write?: (line: string) => void;
};

export function createProgress(options: Options): Progress {
  const now = options.now ?? Date.now;
  const write = options.write ?? ((line: string) => process.stderr.write(`${line}\n`));
  const start = now();
  const note = (text: string): void => {
    write(`[${elapsed(now() - start)}] ${text}`);
  };
  return {
    note,
    async step(label, work) {
      const began = now();
      note(`${label} …`);
      const reminder = setInterval(() => {
        note(`${label} … still at it after ${elapsed(now() - began).trim()}`);
      }, 60_000);
      reminder.unref();
      try {
        return await work();
      } finally {
        clearInterval(reminder);
        const seconds = (now() - began) / 1000;
        if (seconds >= 2) note(`${label}: ${seconds.toFixed(1)} s`);
        record(options.timingsFile, { step: label, seconds });
      }
    },
  };
}

/** `  7s`, ` 75s`: four wide, so that lines stay aligned for the first quarter of an hour. */
export function elapsed(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)}s`.padStart(4);
}

/** The slowest steps recorded in a timings file (JSON lines), longest first. */
export function slowestSteps(file: string, count: number): readonly Timing[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Timing)
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, count);
}

function record(file: string, timing: Timing): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(timing)}\n`);
}
