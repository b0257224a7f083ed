import { ANNOTATIONS, LABELS } from '../../../crds/schema/names.ts';
import type { ApiClient } from '../operator/api-client.ts';
import { JOBS } from './trial-stage.ts';

export type SeenJob = {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
};

type JobEvent = { readonly type: string; readonly object: SeenJob };

/**
 * Plays Job controller and training: each Job that appears reaches its value at once and is complete. Notes
 * when each was seen and when its end was written, in ms of performance.now().
 */
export class JobFinisher {
  readonly created: number[] = [];
  readonly finished: number[] = [];
  /** In the order they were seen; a Job that is made twice stands here twice. */
  readonly names: string[] = [];
  /** One of those seen. */
  sample: SeenJob | undefined;
  readonly #api: ApiClient;
  readonly #train: (job: SeenJob) => Promise<void>;
  readonly #ended: (job: SeenJob) => void;
  readonly #stopping = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #problem: Error | undefined;
  #run: Promise<void> = Promise.resolve();

  /** `train` logs what the Job reached; `ended` is called when its end has been written. */
  constructor(
    api: ApiClient,
    train: (job: SeenJob) => Promise<void>,
    ended: (job: SeenJob) => void = () => undefined,
  ) {
    this.#api = api;
    this.#train = train;
    this.#ended = ended;
  }

  async start(): Promise<void> {
    const { body } = await this.#api.call('GET', `${JOBS}?limit=1`);
    const { resourceVersion } = (body as { metadata: { resourceVersion: string } }).metadata;
    this.#run = this.#follow(resourceVersion).catch(this.#note);
  }

  /** @throws what went wrong, if anything did */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#run;
    await Promise.all(this.#working);
    this.check();
  }

  check(): void {
    if (this.#problem !== undefined) throw this.#problem;
  }

  async #follow(from: string): Promise<void> {
    const { signal } = this.#stopping;
    let version = from;
    while (!signal.aborted) {
      const path = `${JOBS}?watch=true&allowWatchBookmarks=true&resourceVersion=${version}`;
      try {
        for await (const line of this.#api.lines(path, signal)) {
          version = this.#see(line);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  #see(line: string): string {
    const { type, object } = JSON.parse(line) as JobEvent;
    if (type === 'ERROR') throw new Error(`The watch of Jobs broke: ${line.slice(0, 300)}`);
    if (type === 'ADDED') this.#begin(object);
    return object.metadata.resourceVersion;
  }

  readonly #note = (error: unknown): void => {
    this.#problem ??= error instanceof Error ? error : new Error(String(error));
  };

  #begin(job: SeenJob): void {
    this.created.push(performance.now());
    this.names.push(job.metadata.name);
    this.sample ??= job;
    const work = this.#finish(job)
      .catch(this.#note)
      .finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  async #finish(job: SeenJob): Promise<void> {
    await this.#train(job);
    const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const condition = (type: string) => ({
      ...{ type, status: 'True', reason: 'CompletionsReached', message: '' },
      ...{ lastProbeTime: at, lastTransitionTime: at },
    });
    const status = {
      ...{ startTime: at, completionTime: at, succeeded: 1, ready: 0, terminating: 0 },
      conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
    };
    // It may have been deleted meanwhile.
    await this.#api.call('PATCH', `${JOBS}/${job.metadata.name}/status`, { status }, [404]);
    this.finished.push(performance.now());
    this.#ended(job);
  }
}

export const runIdOf = ({ metadata }: SeenJob): string => metadata.labels[LABELS.runId] ?? '';

/** Of two parameters x and y in [-1, 1]: x² + y², whose minimum is 0. */
export const valueOf = ({ metadata }: SeenJob): number => {
  const assignments = JSON.parse(
    metadata.annotations?.[ANNOTATIONS.parameters] ?? '[]',
  ) as readonly {
    readonly value: string;
  }[];
  return assignments.reduce((sum, { value }) => sum + Number(value) ** 2, 0);
};
