/** A loaded model with all that stands between a request and its computation. */
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { ModelSignature } from '../protocol/signature.ts';
import type { ModelSession } from '../session.ts';
import type { Tensor } from '../tensors.ts';
import type { BreakerSettings, BreakerState } from './circuit-breaker.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { Inference } from './compute.ts';
import type { ExecutorEnvironment } from './executor.ts';
import { Executor } from './executor.ts';
import { whyNotJoined } from './rows-are-independent.ts';
import type { BatchLimits } from './scheduler.ts';
import { Scheduler } from './scheduler.ts';

export type ExecutionSettings = {
  readonly batch: BatchLimits;
  /** `undefined`: none. */
  readonly breaker: BreakerSettings | undefined;
};

export type ModelEnvironment = ExecutorEnvironment & {
  readonly admitted: () => number;
  /** A computation begins: rows (0: unknown) and requests. */
  readonly onBatch: (rows: number, requests: number) => void;
  readonly onNotJoined: (reason: string) => void;
  readonly onBreaker: (state: BreakerState) => void;
};

export type ServedModel = {
  readonly signature: ModelSignature;
  /** Rejects with a ProtocolError. */
  run(inference: Inference): Promise<readonly Tensor[]>;
  close(): Promise<void>;
};

/**
 * Finds out how the session is best used, which takes a few inferences on `sample`, and puts it to work.
 * The session is closed with the model.
 */
export async function prepareModel(
  session: ModelSession,
  settings: ExecutionSettings,
  environment: ModelEnvironment,
  sample: ReadonlyMap<string, Tensor> | undefined,
): Promise<ServedModel> {
  const { signature } = session;
  const executor = new Executor(session, environment);
  const outputs = signature.outputs.map(({ name }) => name);
  let { maxRows } = settings.batch;
  if (maxRows > 1) {
    const reason = await whyNotJoined(executor.compute, signature);
    if (reason !== undefined) {
      maxRows = 1;
      environment.onNotJoined(reason);
    }
  }
  if (sample !== undefined) await executor.measure(() => executor.compute(sample, outputs));
  const scheduler = new Scheduler(
    {
      compute: executor.compute,
      width: () => executor.width,
      admitted: environment.admitted,
    },
    { ...settings.batch, maxRows },
    { began: environment.onBatch, refusedToJoin: environment.onNotJoined },
  );
  const run = (inference: Inference) => scheduler.run(inference);
  return {
    signature,
    run: settings.breaker === undefined ? run : guarded(run, settings.breaker, environment),
    close: () => executor.close(),
  };
}

type Run = ServedModel['run'];

function guarded(run: Run, settings: BreakerSettings, environment: ModelEnvironment): Run {
  const breaker = new CircuitBreaker(settings, environment.now, environment.onBreaker);
  return async (inference) => {
    breaker.enter();
    try {
      const results = await run(inference);
      breaker.succeeded();
      return results;
    } catch (error) {
      const isAboutModel = !(error instanceof ProtocolError) || error.code === 'InferenceFailed';
      if (isAboutModel) breaker.failed();
      else breaker.left();
      throw error;
    }
  };
}
