import { MemoryRunStore } from '../experiment/memory-run-store.ts';
import type { NewTrial, Run, RunPage, RunStore } from '../experiment/run-store.ts';

/** The database does not answer. */
export class DatabaseDown extends Error {
  override readonly name = 'DatabaseDown';
  readonly code = 'DatabaseUnavailable';
}

/** Runs in memory, whose database can be down and whose writes can be followed by a crash. */
export class FaultyRuns extends MemoryRunStore {
  down = false;
  /** Called after every write of a reconciler. */
  wrote: () => void = () => undefined;

  override async createTrial(trial: NewTrial): Promise<Run> {
    this.#check();
    const known = await this.list();
    const run = await super.createTrial(trial);
    if (!known.some(({ runId }) => runId === run.runId)) this.wrote();
    return run;
  }

  override async startRun(runId: string, at: number): Promise<void> {
    this.#check();
    await super.startRun(runId, at);
    this.wrote();
  }

  override async finishRun(...run: Parameters<RunStore['finishRun']>): Promise<void> {
    this.#check();
    const before = await this.getRun(run[0]);
    await super.finishRun(...run);
    if (before?.endTime === undefined) this.wrote();
  }

  override async getRun(runId: string): Promise<Run | undefined> {
    this.#check();
    return super.getRun(runId);
  }

  override async listRuns(...listing: Parameters<RunStore['listRuns']>): Promise<RunPage> {
    this.#check();
    return super.listRuns(...listing);
  }

  /** Those of the Experiment `digits-train` that tests use. */
  async list(uid?: string): Promise<readonly Run[]> {
    const experimentUids = uid === undefined ? ['uid-1', 'uid-2', 'uid-3'] : [uid];
    return (await super.listRuns({ experimentUids, view: 'all' })).runs;
  }

  /** What the training's client logged. */
  async log(
    runId: string,
    values: Readonly<Record<string, number>>,
    tags: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const metrics = Object.entries(values).map(([key, value]) => ({
      key,
      value,
      timestamp: 0,
      step: 0,
    }));
    await this.logBatch(runId, { metrics, tags });
  }

  #check(): void {
    if (this.down) throw new DatabaseDown('The database could not answer: connection refused');
  }
}
