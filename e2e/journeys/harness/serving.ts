import { Agent, fetch } from 'undici';

import { kubectl } from './kubectl.ts';
import { until } from './until.ts';

/** The address of a Service; those of the local cluster are reachable from its node. */
export const addressOf = (namespace: string, service: string): Promise<string> =>
  kubectl(['get', 'service', service, '-n', namespace, '-o', 'jsonpath={.spec.clusterIP}']);

/** Where a Deployment's model answers. */
export const modelUrl = async (namespace: string, deployment: string): Promise<string> =>
  `http://${await addressOf(namespace, deployment)}/v2/models/${deployment}`;

/** One request for inference and whatever the model says about it. */
export type Question = Readonly<Record<string, unknown>>;

export const DIGITS_QUESTION: Question = {
  inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 64], data: Array<number>(64).fill(8) }],
};

export const IRIS_QUESTION: Question = {
  inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }],
};

type Inference = { readonly model_version: string };

/** Asks until told to stop, and remembers who answered and what went wrong. */
export class Caller {
  readonly #url: string;
  readonly #question: Question;
  readonly #agent: Agent;
  readonly #answers: string[] = [];
  readonly #failures: string[] = [];
  #stopped = false;
  #loop: Promise<void> = Promise.resolve();

  private constructor(url: string, question: Question, agent: Agent) {
    this.#url = url;
    this.#question = question;
    this.#agent = agent;
  }

  /** `keepAlive` false makes a connection for each request, as most first clients do. */
  static async start(
    namespace: string,
    deployment: string,
    question: Question,
    keepAlive = false,
  ): Promise<Caller> {
    const agent = new Agent(keepAlive ? { connections: 1 } : { pipelining: 0 });
    const caller = new Caller(await modelUrl(namespace, deployment), question, agent);
    caller.#loop = caller.#ask();
    await caller.answeredMore(1, 30);
    return caller;
  }

  /** What failed, in its own words. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** The versions that answered, each once, in the order they first did. */
  get versions(): readonly string[] {
    return [...new Set(this.#answers)];
  }

  get count(): number {
    return this.#answers.length;
  }

  /** Waits until that many more requests were answered. */
  async answeredMore(count: number, seconds = 60): Promise<void> {
    const goal = this.count + count;
    await until(
      `${count} more answers of ${this.#url}`,
      seconds,
      async () => (this.count >= goal ? true : undefined),
      async () => this.#failures.slice(-3).join('\n'),
    );
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#loop;
    await this.#agent.close();
  }

  async #ask(): Promise<void> {
    while (!this.#stopped) {
      try {
        const answer = await fetch(`${this.#url}/infer`, {
          method: 'POST',
          body: JSON.stringify(this.#question),
          headers: { 'content-type': 'application/json' },
          dispatcher: this.#agent,
          signal: AbortSignal.timeout(15_000),
        });
        const text = await answer.text();
        if (answer.ok) this.#answers.push((JSON.parse(text) as Inference).model_version);
        else this.#failures.push(`${answer.status}: ${text.slice(0, 300)}`);
      } catch (error) {
        const { message, cause } = error as Error;
        const why = cause instanceof Error ? `: ${cause.message}` : '';
        this.#failures.push(`${new Date().toISOString()} ${message}${why}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
