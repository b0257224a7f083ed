import type { ApiClient } from './api-client.ts';

type WatchedApp = {
  readonly metadata: {
    readonly name: string;
    readonly generation: number;
    readonly resourceVersion: string;
  };
  readonly spec: { readonly value: string };
  readonly status?: {
    readonly value?: string;
    readonly observedGeneration?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};

type WatchLine = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: WatchedApp;
};

/** What is waited for: Ready with this value, or gone. */
export type Goal = { readonly value: string } | 'gone';

/** Expects apps to reach a goal and says how long each took; one watch sees all of them. */
export class AppWatch {
  readonly #api: ApiClient;
  readonly #path: string;
  readonly #stopping = new AbortController();
  readonly #expected = new Map<string, { readonly goal: Goal; readonly since: number }>();
  #times: number[] = [];
  #done: (() => void) | undefined;
  #version = '';
  #run: Promise<void> = Promise.resolve();

  constructor(api: ApiClient, path: string) {
    this.#api = api;
    this.#path = path;
  }

  async start(): Promise<void> {
    const { body } = await this.#api.call('GET', `${this.#path}?limit=1`);
    this.#version = (body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
    this.#run = this.#follow();
  }

  /** From `since` (performance.now()) on, counted by the next `reached`. */
  expect(name: string, goal: Goal, since = performance.now()): void {
    this.#expected.set(name, { goal, since });
  }

  /** Resolves to the milliseconds each took, once nothing is expected any more or time is up. */
  async reached(timeoutMs: number): Promise<{ readonly times: number[]; readonly left: number }> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#done = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#expected.size === 0) this.#done();
    });
    this.#done = undefined;
    const times = this.#times;
    const left = this.#expected.size;
    this.#times = [];
    this.#expected.clear();
    return { times, left };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#run;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const path = `${this.#path}?watch=true&allowWatchBookmarks=true&resourceVersion=${this.#version}`;
      try {
        for await (const line of this.#api.lines(path, signal))
          this.#see(JSON.parse(line) as WatchLine);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  #see({ type, object }: WatchLine): void {
    if (type === 'ERROR')
      throw new Error(`The benchmark's own watch broke: ${JSON.stringify(object)}`);
    this.#version = object.metadata.resourceVersion;
    const { name } = object.metadata;
    const expected = this.#expected.get(name);
    if (type === 'BOOKMARK' || expected === undefined) return;
    const reached =
      expected.goal === 'gone' ? type === 'DELETED' : isReady(object, expected.goal.value);
    if (!reached) return;
    this.#expected.delete(name);
    this.#times.push(performance.now() - expected.since);
    if (this.#expected.size === 0) this.#done?.();
  }
}

const isReady = ({ metadata, spec, status }: WatchedApp, value: string): boolean =>
  spec.value === value &&
  status?.value === value &&
  status.observedGeneration === metadata.generation &&
  status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true;
