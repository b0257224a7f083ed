import type { Metric, NewTrial, Run, RunStatus, RunStore } from '../experiment/run-store.ts';

/** The database does not answer. */
export class DatabaseDown extends Error {
  override readonly name = 'DatabaseDown';
  readonly code = 'DatabaseUnavailable';
}

/** As much of a RunStore as reconcilers use, in memory. */
export class FakeRuns {
  readonly rows = new Map<string, Run>();
  down = false;
  /** Called after every write, to inject a crash there. */
  wrote: () => void = () => undefined;

  asStore(): RunStore {
    return this as unknown as RunStore;
  }

  async createTrial({ experiment, number, parameters, name }: NewTrial): Promise<Run> {
    this.#check();
    const runId = `${experiment.uid.replaceAll(/[^a-z0-9]/g, '')}${number}`.padEnd(32, '0');
    const found = this.rows.get(runId);
    if (found !== undefined) return found;
    const run: Run = {
      runId,
      experiment,
      trialNumber: number,
      name,
      userId: '',
      status: 'SCHEDULED',
      lifecycleStage: 'active',
      params: parameters,
      tags: {},
      metrics: [],
    };
    this.#put(run);
    return run;
  }

  async startRun(runId: string, at: number): Promise<void> {
    const run = this.#row(runId);
    if (run.status === 'SCHEDULED') this.#put({ ...run, status: 'RUNNING', startTime: at });
  }

  async finishRun(runId: string, status: RunStatus, at: number): Promise<void> {
    const run = this.#row(runId);
    if (run.status === 'RUNNING' || run.status === 'SCHEDULED') {
      this.#put({ ...run, status, endTime: at });
    }
  }

  async getRun(runId: string): Promise<Run | undefined> {
    this.#check();
    return this.rows.get(runId);
  }

  async listRuns(): Promise<{ readonly runs: readonly Run[] }> {
    this.#check();
    return { runs: [...this.rows.values()] };
  }

  async deleteExperimentRuns(uid: string): Promise<number> {
    this.#check();
    const its = [...this.rows.values()].filter(({ experiment }) => experiment.uid === uid);
    for (const { runId } of its) this.rows.delete(runId);
    return its.length;
  }

  /** What the training's client logged. */
  log(runId: string, values: Readonly<Record<string, number>>, tags: Run['tags'] = {}): void {
    const run = this.#row(runId);
    const metrics: readonly Metric[] = Object.entries(values).map(([key, value]) => ({
      key,
      value,
      timestamp: 0,
      step: 0,
    }));
    this.rows.set(runId, { ...run, metrics, tags });
  }

  #row(runId: string): Run {
    this.#check();
    const run = this.rows.get(runId);
    if (run === undefined) throw new Error(`no run ${runId}`);
    return run;
  }

  #put(run: Run): void {
    this.rows.set(run.runId, run);
    this.wrote();
  }

  #check(): void {
    if (this.down) throw new DatabaseDown('The database could not answer: connection refused');
  }
}
