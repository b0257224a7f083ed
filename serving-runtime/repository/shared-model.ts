import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Inference } from '../inference/compute.ts';
import type { ServedModel } from '../inference/served-model.ts';
import type { Tensor } from '../tensors.ts';

/** How many inferences are at one model, among those at all models of the process. */
export class Presence {
  readonly #all: { count: number };
  #here = 0;

  /** `all` is shared by all models. */
  constructor(all: { count: number }) {
    this.#all = all;
  }

  get here(): number {
    return this.#here;
  }

  get elsewhere(): number {
    return this.#all.count - this.#here;
  }

  enter(): void {
    this.#here++;
    this.#all.count++;
  }

  leave(): void {
    this.#here--;
    this.#all.count--;
  }
}

/** A model that may be taken out of service while it is asked: it closes after its last answer. */
export class SharedModel implements ServedModel {
  readonly #model: ServedModel;
  readonly #presence: Presence;
  #holders = 0;
  #closing: Promise<void> | undefined;
  #onIdle: () => void = () => undefined;

  constructor(model: ServedModel, presence: Presence) {
    this.#model = model;
    this.#presence = presence;
  }

  get signature(): ServedModel['signature'] {
    return this.#model.signature;
  }

  async run(inference: Inference): Promise<readonly Tensor[]> {
    this.#presence.enter();
    try {
      return await this.#model.run(inference);
    } finally {
      this.#presence.leave();
      if (this.#isIdle) this.#onIdle();
    }
  }

  /** Keeps it open, for an ensemble; gives how to let it go. */
  hold(): () => void {
    this.#holders++;
    return () => {
      this.#holders--;
      if (this.#isIdle) this.#onIdle();
    };
  }

  /** Whoever found the model has to run it in the same turn. */
  close(): Promise<void> {
    this.#closing ??= this.#closeWhenIdle();
    return this.#closing;
  }

  get #isIdle(): boolean {
    return this.#presence.here === 0 && this.#holders === 0;
  }

  async #closeWhenIdle(): Promise<void> {
    await nextTurn();
    if (!this.#isIdle) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.#model.close();
  }
}
