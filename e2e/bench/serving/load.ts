/** Closed-loop load: each client asks again as soon as it has its answer. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../cluster/command.ts';
import { quantile } from '../quantile.ts';

export type LoadResult = {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
};

export type Load = { readonly url: string; readonly clients: number; readonly seconds: number };

const summary = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT %d %d %d %d %d %d\\n', summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end`;

/** POSTs one JSON body, with wrk (https://github.com/wg/wrk). */
export const loadJson = async (
  { url, clients, seconds }: Load,
  bodyFile: string,
): Promise<LoadResult> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const script = join(folder, 'post.lua');
    const body = JSON.stringify(bodyFile);
    writeFileSync(
      script,
      `wrk.method = 'POST'\nwrk.body = io.open(${body}):read('*a')\nwrk.headers['content-type'] = 'application/json'\n${summary}\n`,
    );
    const args = ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '30s', '-s', script, url];
    const text = await run('wrk', args);
    const numbers = /^RESULT (.*)$/m.exec(text)?.[1]?.split(' ').map(Number) ?? [];
    const [requests = 0, micros = 0, errors = 0, p50 = 0, p99 = 0, slowest = 0] = numbers;
    return {
      ...{ requests, errors, seconds: micros / 1e6 },
      ...{ p50: p50 / 1000, p99: p99 / 1000, slowest: slowest / 1000 },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** Calls one gRPC method, with h2load (https://nghttp2.org/documentation/h2load.1.html): a connection per client. */
export const loadGrpc = async (
  { url, clients, seconds }: Load,
  messageFile: string,
): Promise<LoadResult> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const log = join(folder, 'log');
    const args = [
      ...[`-c${clients}`, '-m1', `-D${seconds}`, '-d', messageFile, `--log-file=${log}`],
      ...['-H', 'content-type: application/grpc', '-H', 'te: trailers', url],
    ];
    const text = await run('h2load', args);
    const errored = Number(/(\d+) errored/.exec(text)?.[1] ?? 0);
    const failed = Number(/(\d+) failed/.exec(text)?.[1] ?? 0);
    // Start, status and duration in microseconds.
    const took = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t').map(Number));
    const durations = took.map(([, , micros = 0]) => micros / 1000);
    const wrong = took.filter(([, status]) => status !== 200).length;
    return {
      ...{ requests: durations.length, seconds, errors: Math.max(errored, failed, wrong) },
      ...{ p50: quantile(durations, 0.5), p99: quantile(durations, 0.99) },
      slowest: quantile(durations, 1),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
};
