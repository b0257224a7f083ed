import { Agent, request } from 'undici';

import type { Gateway } from './gateway.ts';
import { ANSWERED_BY, ATTEMPTS } from './named-pods.ts';
import type { AnswerOfPod } from './pod-readiness.ts';
import { until } from './until.ts';

/** What was answered since the last mark. */
export type Answers = {
  readonly total: number;
  /** Answers by the variant that gave them. */
  readonly byVariant: Readonly<Record<string, number>>;
  /** Whatever was no answer with the status 200, in its own words. */
  readonly failures: readonly string[];
  readonly versions: readonly string[];
};

export type LoadOptions = {
  readonly host: string;
  readonly model: string;
  readonly question: object;
  /** Clients that ask at once, each for as long as it takes to be answered and `restMs` more. */
  readonly clients?: number;
  readonly restMs?: number;
};

/** Asks a model through the gateway, for as long as it runs. */
export class GatewayLoad {
  readonly #gateway: Gateway;
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ connections: 16 });
  #variants = new Map<string, number>();
  #versions = new Set<string>();
  #failures: string[] = [];
  readonly #pods: AnswerOfPod[] = [];
  #repeated = 0;
  #isOver = false;
  #loops: readonly Promise<void>[] = [];

  private constructor(gateway: Gateway, options: LoadOptions) {
    this.#gateway = gateway;
    this.#options = options;
  }

  /** Begins once the gateway knows the host and the model answers. */
  static async start(gateway: Gateway, options: LoadOptions): Promise<GatewayLoad> {
    const load = new GatewayLoad(gateway, options);
    await until(`an answer for ${options.host}`, 60, async () => {
      await load.#ask();
      return load.#failures.splice(0).length === 0 ? true : undefined;
    });
    load.mark();
    load.#loops = Array.from({ length: options.clients ?? 4 }, () => load.#loop());
    return load;
  }

  /** What was answered since the last mark, which is set anew. */
  mark(): Answers {
    const answers = this.answers;
    this.#variants = new Map();
    this.#versions = new Set();
    this.#failures = [];
    return answers;
  }

  get answers(): Answers {
    const byVariant = Object.fromEntries(this.#variants);
    const total = Object.values(byVariant).reduce((sum, count) => sum + count, 0);
    return { total, byVariant, failures: [...this.#failures], versions: [...this.#versions] };
  }

  /** Who answered and when it was asked, since the beginning; where the gateway names pods. */
  get answersOfPods(): readonly AnswerOfPod[] {
    return this.#pods;
  }

  /** Requests that the gateway sent again because of the answer of a pod. */
  get repeated(): number {
    return this.#repeated;
  }

  async answered(count: number, seconds = 120): Promise<void> {
    await until(`${count} answers of ${this.#options.host}`, seconds, async () =>
      this.answers.total >= count ? true : undefined,
    );
  }

  async stop(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await Promise.all(this.#loops);
    await this.#agent.close();
  }

  async #loop(): Promise<void> {
    const { restMs = 5 } = this.#options;
    while (!this.#isOver) {
      await this.#ask();
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }

  async #ask(): Promise<void> {
    const { host, model, question } = this.#options;
    const sentAt = Date.now();
    try {
      const answer = await request(`${this.#gateway.url}/v2/models/${model}/infer`, {
        method: 'POST',
        headers: { host, 'content-type': 'application/json' },
        body: JSON.stringify(question),
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(15_000),
      });
      const { [ANSWERED_BY]: ip, [ATTEMPTS]: attempts = '1' } = answer.headers;
      if (ip !== undefined) this.#pods.push({ ip: String(ip), sentAt });
      if (attempts !== '1') this.#repeated++;
      this.#note(answer.statusCode, answer.headers['x-mlops-variant'], await answer.body.text());
    } catch (error) {
      this.#failures.push(`${new Date().toISOString()} ${String(error)}`);
    }
  }

  #note(status: number, variant: string | string[] | undefined, body: string): void {
    const by = String(variant ?? 'nobody');
    if (status !== 200) {
      const words = `${status} of ${by}: ${body.slice(0, 200)}`;
      this.#failures.push(`${new Date().toISOString()} ${words}`);
      return;
    }
    this.#variants.set(by, (this.#variants.get(by) ?? 0) + 1);
    this.#versions.add((JSON.parse(body) as { readonly model_version: string }).model_version);
  }
}
