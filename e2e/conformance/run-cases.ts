import { NotApplicable, type Case } from './case.ts';
import { aboutCases } from './cases/about.ts';
import { binaryCases } from './cases/binary.ts';
import { grpcCases } from './cases/grpc.ts';
import { jsonCases } from './cases/json.ts';
import { refusalCases } from './cases/refusals.ts';
import type { Target } from './target.ts';

export type Result = {
  readonly name: string;
  readonly outcome: 'ok' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly reason?: string;
};

export const allCases: readonly Case[] = [
  ...[...aboutCases, ...jsonCases],
  ...[...refusalCases, ...binaryCases],
  ...grpcCases,
];

/** One after the other; never rejects for what the server does. */
export async function* runCases(target: Target): AsyncIterable<Result> {
  for (const { name, check } of allCases) {
    try {
      await check(target);
      yield { name, outcome: 'ok' };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      yield { name, outcome: error instanceof NotApplicable ? 'skipped' : 'failed', reason };
    }
  }
}
