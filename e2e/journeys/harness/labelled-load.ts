import type { Gateway } from './gateway.ts';
import { at } from './kubectl.ts';
import type { RestUser } from './rest.ts';
import { timesQuestion } from './times-model.ts';
import { until } from './until.ts';

type Label = { readonly predictionId: string; readonly truth: readonly number[] };

type Options = { readonly host: string; readonly deployment: string };

const LABELS_AT_ONCE = 100;
const CLIENTS = 4;

/**
 * Asks a `times` model for numbers that are spread evenly, and tells afterwards what twice each of them is:
 * the truth, which comes late.
 */
export class LabelledLoad {
  readonly failures: string[] = [];
  /** Whether the truth is told, of what is asked from then on. */
  posting = false;
  readonly #gateway: Gateway;
  readonly #user: RestUser;
  readonly #options: Options;
  #labels: Label[] = [];
  #asked = 0;
  #isOver = false;
  #loops: readonly Promise<void>[] = [];

  private constructor(gateway: Gateway, user: RestUser, options: Options) {
    this.#gateway = gateway;
    this.#user = user;
    this.#options = options;
  }

  /** Begins once the gateway knows the host and the model answers. */
  static async start(gateway: Gateway, user: RestUser, options: Options): Promise<LabelledLoad> {
    const load = new LabelledLoad(gateway, user, options);
    await until(`an answer for ${options.host}`, 60, async () => {
      await load.#ask();
      return load.failures.splice(0).length === 0 ? true : undefined;
    });
    load.#loops = Array.from({ length: CLIENTS }, () => load.#loop());
    return load;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #loop(): Promise<void> {
    while (!this.#isOver) {
      await this.#ask();
      if (this.#labels.length >= LABELS_AT_ONCE) await this.#tell();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** From 1 to 100, each as often as the others. */
  #numbers(): readonly number[] {
    return Array.from({ length: 4 }, (_, i) => 1 + ((37 * this.#asked + 25 * i) % 100));
  }

  async #ask(): Promise<void> {
    this.#asked += 1;
    const numbers = this.#numbers();
    const { host, deployment } = this.#options;
    try {
      const { status, headers, body } = await this.#gateway.ask(
        host,
        `/v2/models/${deployment}/infer`,
        {
          ...{ method: 'POST', body: JSON.stringify(timesQuestion(...numbers)) },
          headers: { 'content-type': 'application/json' },
        },
      );
      if (status !== 200) this.failures.push(`${status}: ${body.slice(0, 200)}`);
      else if (this.posting) {
        const predictionId = String(headers['x-request-id']);
        this.#labels.push({ predictionId, truth: numbers.map((each) => 2 * each) });
      }
    } catch (error) {
      this.failures.push(String(error));
    }
  }

  async #tell(): Promise<void> {
    const labels = this.#labels;
    this.#labels = [];
    const path = `modeldeployments/${this.#options.deployment}/labels`;
    const { status, body } = await this.#user.send('POST', path, { labels });
    if (status !== 200 || at(body, 'taken') !== labels.length) {
      this.failures.push(`labels: ${status}: ${JSON.stringify(body).slice(0, 200)}`);
    }
  }
}
