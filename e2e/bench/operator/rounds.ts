import { quantile } from '../quantile.ts';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppWatch } from './app-watch.ts';
import { isWrite, tally, type AuditedRequest, type AuditLog } from './audit-log.ts';
import { APPS, type BenchCluster } from './bench-cluster.ts';
import { Load, warmUp } from './load.ts';
import { OperatorProcess, type Contestant } from './operator-process.ts';

export const PHASES = ['create', 'change', 'restart', 'delete'] as const;
export type PhaseName = (typeof PHASES)[number];

/** What one phase took and cost one operator. */
export type PhaseResult = {
  readonly seconds: number;
  /** Objects that had not reached their goal when time was up. */
  readonly left: number;
  /** Milliseconds from a user's call (restart: from the start of the process) to Ready, or gone. */
  readonly p50: number;
  readonly p99: number;
  readonly requests: number;
  readonly cpuMs: number;
  /** The most the process held up to the end of the phase. */
  readonly peakMib: number;
  readonly calls: Readonly<Record<string, number>>;
};

export type IdleResult = {
  readonly seconds: number;
  readonly cpuPercent: number;
  readonly writes: number;
  readonly requests: number;
  readonly residentMib: number;
};

export type RoundResult = {
  readonly contestant: Contestant['name'];
  readonly objects: number;
  readonly phases: Readonly<Record<PhaseName, PhaseResult>>;
  readonly idle?: IdleResult;
};

export type RoundOptions = {
  readonly objects: number;
  readonly workers: number;
  /** 0: not measured. */
  readonly idleSeconds: number;
};

/** The requests of an operator that are told apart by its account. */
export type Account = { readonly kubeconfig: string; readonly user: string };

const MINUTES = 60_000;
/** For what comes behind the last goal: an operator's own news of its last writes. */
const SETTLE_MS = 500;

/** All phases of one operator with a number of objects; leaves the cluster empty. */
export class Round {
  readonly #cluster: BenchCluster;
  readonly #audit: AuditLog;
  readonly #contestant: Contestant;
  readonly #account: Account;
  readonly #options: RoundOptions;
  readonly #watch: AppWatch;
  readonly #load: Load;

  constructor(
    cluster: BenchCluster,
    audit: AuditLog,
    who: { readonly contestant: Contestant; readonly account: Account },
    options: RoundOptions,
  ) {
    this.#cluster = cluster;
    this.#audit = audit;
    this.#contestant = who.contestant;
    this.#account = who.account;
    this.#options = options;
    this.#watch = new AppWatch(cluster.api, APPS);
    this.#load = new Load(cluster.api, this.#watch, options.objects);
  }

  async run(): Promise<RoundResult> {
    const { idleSeconds, objects } = this.#options;
    await this.#watch.start();
    let operator = this.#start();
    try {
      await warmUp(this.#cluster.api, this.#watch);
      const create = await this.#phase(operator, () => this.#load.create('one'));
      const change = await this.#phase(operator, () => this.#load.change('two'));
      await operator.stop('SIGKILL');
      await this.#load.change('three');
      this.#audit.read();
      const startedAt = performance.now();
      operator = this.#start();
      this.#load.expectAll('three');
      const restart = await this.#measure(operator, { startedAt, cpuMs: 0 });
      const idle = idleSeconds === 0 ? undefined : await this.#idle(operator, idleSeconds);
      const gone = await this.#phase(operator, () => this.#load.delete());
      const phases = { create, change, restart, delete: gone };
      const { name } = this.#contestant;
      return { contestant: name, objects, phases, ...(idle !== undefined && { idle }) };
    } finally {
      await operator.stop('SIGTERM');
      await this.#watch.stop();
      await this.#cluster.empty();
    }
  }

  #start(): OperatorProcess {
    const { name } = this.#contestant;
    return OperatorProcess.start(
      this.#contestant,
      this.#account.kubeconfig,
      { workers: this.#options.workers },
      join(this.#cluster.dir, `${name}.log`),
    );
  }

  async #phase(operator: OperatorProcess, act: () => Promise<void>): Promise<PhaseResult> {
    await delay(SETTLE_MS);
    this.#audit.read();
    const before = { startedAt: performance.now(), cpuMs: operator.cpuMs };
    await act();
    return this.#measure(operator, before);
  }

  async #measure(
    operator: OperatorProcess,
    before: { readonly startedAt: number; readonly cpuMs: number },
  ): Promise<PhaseResult> {
    // 10 objects a second at the least.
    const { times, left } = await this.#watch.reached(MINUTES + this.#options.objects * 100);
    const seconds = (performance.now() - before.startedAt) / 1000;
    await delay(SETTLE_MS);
    const requests = this.#asked();
    return {
      seconds,
      left,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      requests: requests.length,
      cpuMs: operator.cpuMs - before.cpuMs,
      peakMib: operator.peakMib,
      calls: tally(requests),
    };
  }

  async #idle(operator: OperatorProcess, seconds: number): Promise<IdleResult> {
    await delay(5_000);
    this.#audit.read();
    const cpuMs = operator.cpuMs;
    await delay(seconds * 1000);
    const requests = this.#asked();
    return {
      seconds,
      cpuPercent: (operator.cpuMs - cpuMs) / (seconds * 10),
      writes: requests.filter(isWrite).length,
      requests: requests.length,
      residentMib: operator.residentMib,
    };
  }

  #asked(): readonly AuditedRequest[] {
    return this.#audit.read().filter(({ user }) => user === this.#account.user);
  }
}
