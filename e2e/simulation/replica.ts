import type { ArtifactStore } from '../../operator/artifacts/artifact-store.ts';
import type { RunStore } from '../../operator/kinds/experiment/run-store.ts';
import { noSearchEngine } from '../../operator/kinds/experiment/search-engine.ts';
import { someDefaults } from '../../operator/kinds/testing/builders.ts';
import { memoryOwnData } from '../../operator/kinds/testing/own-data.ts';
import { MemoryTrialStore } from '../../operator/kinds/experiment/memory-trial-store.ts';
import { MemoryPodLogs } from '../../operator/runtime/memory-pod-logs.ts';
import { memoryOutcomeStore } from '../../operator/kinds/ab-test/memory-outcome-store.ts';
import { memoryPredictionStore } from '../../operator/store/memory-predictions.ts';
import { memoryMetricProbe } from '../../operator/probing/memory-metric-probe.ts';
import { memoryTrafficMeter } from '../../operator/scraping/memory-traffic-meter.ts';
import { MlopsOperator } from '../../operator/mlops-operator.ts';
import type { RuntimeLogger } from '../../operator/runtime/operator.ts';
import type { ObjectKey, ResourceType } from '../../operator/runtime/resource-type.ts';
import { memoryMetrics } from '../../operator/runtime/testing/recorders.ts';
import type { SimulatedApiServer } from './api-server.ts';
import type { FaultPlan } from './fault-plan.ts';
import { FaultyCluster } from './faulty-cluster.ts';
import { faultyArtifacts, faultyRuns } from './faulty-ports.ts';
import { Link } from './link.ts';
import type { SeededRandom } from './seeded-random.ts';
import { SimulatedProcess } from './simulated-process.ts';
import type { SimulationClock } from './simulation-clock.ts';
import type { Trace } from './trace.ts';
import { LEASE_KEY } from './types.ts';

/** What every process of the operator shares: all that survives its death. */
export type Outside = {
  readonly clock: SimulationClock;
  readonly server: SimulatedApiServer;
  readonly runs: RunStore;
  readonly artifacts: ArtifactStore;
  readonly plan: FaultPlan;
  readonly trace: Trace;
  readonly wrote: (identity: string, verb: string, type: ResourceType, key: ObjectKey) => void;
  /** The operator itself failed, not one of its passes. */
  readonly failed: (error: unknown) => void;
};

type Life = {
  readonly process: SimulatedProcess;
  readonly link: Link;
  readonly operator: MlopsOperator;
};

/** One replica of the operator: the real one, in one process after the other. */
export class Replica {
  readonly #outside: Outside;
  readonly #random: SeededRandom;
  readonly #identity: string;
  #life: Life;
  #lives = 0;

  constructor(outside: Outside, random: SeededRandom, index: number) {
    this.#outside = outside;
    this.#random = random.fork(`replica ${index}`);
    this.#identity = `replica-${index}`;
    this.#life = this.#begin();
  }

  get operator(): MlopsOperator {
    return this.#life.operator;
  }

  get process(): SimulatedProcess {
    return this.#life.process;
  }

  get link(): Link {
    return this.#life.link;
  }

  crash(): void {
    if (!this.process.alive) return;
    this.#outside.trace.add(this.#identity, 'is killed');
    this.process.kill();
    this.#beginLater();
  }

  /** As a rolling update does: asked to stop, then started anew. */
  restart(): void {
    const { process, operator } = this.#life;
    if (!process.alive) return;
    this.#outside.trace.add(this.#identity, 'is asked to stop');
    operator.stop();
    void operator.stopped().then(() => {
      if (!process.alive) return;
      this.#outside.trace.add(this.#identity, 'has stopped');
      process.kill();
      this.#beginLater();
    });
  }

  #beginLater(): void {
    this.#outside.clock.setTimeout(
      () => (this.#life = this.#begin()),
      this.#random.int(100, 4_000),
    );
  }

  #begin(): Life {
    const { clock, server, plan, trace, wrote } = this.#outside;
    const random = this.#random.fork(`life ${++this.#lives}`);
    trace.add(this.#identity, `begins life ${this.#lives}`);
    const process = new SimulatedProcess(clock, this.#identity);
    const died = (): void => this.#beginLater();
    const link = new Link({ clock, process, plan, trace, died, random: random.fork('link') });
    const cluster = new FaultyCluster({
      clock,
      server,
      process,
      link,
      plan,
      trace,
      random: random.fork('cluster'),
      writes: (verb, type, key) => wrote(this.#identity, verb, type, key),
    });
    const operator = new MlopsOperator(
      {
        cluster,
        log: logger(trace, this.#identity),
        metrics: memoryMetrics().runtime,
        clock: process.clock,
        random: random.fork('operator').next,
        workers: 4,
        finalizerDeadlineMs: 60 * 60_000,
        identity: this.#identity,
        lease: LEASE_KEY,
      },
      {
        runs: faultyRuns(this.#outside.runs, link, plan),
        trials: new MemoryTrialStore(this.#outside.runs),
        // No Experiment of the simulation searches.
        search: noSearchEngine(),
        logs: new MemoryPodLogs(),
        artifacts: faultyArtifacts(this.#outside.artifacts, link, plan),
        children: someDefaults(),
        traffic: memoryTrafficMeter(),
        ownData: memoryOwnData(),
        probe: memoryMetricProbe(() => process.clock.now()),
        outcomes: memoryOutcomeStore(memoryPredictionStore()),
      },
      { observe: () => undefined, snapshot: () => undefined },
    );
    operator.start().catch((error: unknown) => this.#outside.failed(error));
    return { process, link, operator };
  }
}

const logger = (trace: Trace, identity: string): RuntimeLogger => {
  const line = (fields: object, message: string): void => {
    const { err, key } = fields as { readonly err?: unknown; readonly key?: unknown };
    const about = key === undefined ? '' : ` ${JSON.stringify(key)}`;
    trace.add(
      identity,
      `log: ${message}${about}${err instanceof Error ? `: ${err.name}: ${err.message}` : ''}`,
    );
  };
  const logs: RuntimeLogger = {
    debug: () => undefined,
    info: line,
    warn: line,
    error: line,
    child: () => logs,
  };
  return logs;
};
