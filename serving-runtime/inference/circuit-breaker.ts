import { ProtocolError } from '../protocol/protocol-error.ts';

export type BreakerSettings = {
  /** Share of failed inferences, over 0 and up to 1, from which on it opens. */
  readonly failureShare: number;
  /** Inferences within the window from which on the share means something. */
  readonly minRequests: number;
  readonly windowMs: number;
  /** How long it stays open before one inference may try. */
  readonly openMs: number;
};

export type BreakerState = 'closed' | 'open' | 'half-open';

/** Parts of the window that are forgotten one by one. */
const parts = 10;

/**
 * Closed: all may pass. Open, after too large a share of failures within the window: all are refused at
 * once (503 with Retry-After). Half-open, after `openMs`: one may try at a time; its success closes it,
 * its failure opens it again. After M. Nygard, Release It!, 2nd ed. 2018, ch. 5.
 */
export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  readonly #now: () => number;
  readonly #onChange: (state: BreakerState) => void;
  readonly #succeeded = new Float64Array(parts);
  readonly #failed = new Float64Array(parts);
  /** The newest part of the window, counted from the beginning of time. */
  #part = 0;
  #state: BreakerState = 'closed';
  #openUntil = 0;
  #isTrying = false;

  constructor(
    settings: BreakerSettings,
    now: () => number,
    onChange: (state: BreakerState) => void,
  ) {
    this.#settings = settings;
    this.#now = now;
    this.#onChange = onChange;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Throws ProtocolError 503. Where it does not, `succeeded`, `failed` or `left` must follow. */
  enter(): void {
    if (this.#state === 'closed') return;
    const leftMs = this.#openUntil - this.#now();
    if (leftMs > 0 || this.#isTrying) throw this.#refusal(Math.max(leftMs, 1000));
    this.#isTrying = true;
    this.#become('half-open');
  }

  succeeded(): void {
    this.#count(this.#succeeded);
    if (this.#state !== 'half-open') return;
    this.#isTrying = false;
    this.#succeeded.fill(0);
    this.#failed.fill(0);
    this.#become('closed');
  }

  failed(): void {
    this.#count(this.#failed);
    if (this.#state === 'half-open' || (this.#state === 'closed' && this.#isTooMuch())) {
      this.#isTrying = false;
      this.#openUntil = this.#now() + this.#settings.openMs;
      this.#become('open');
    }
  }

  /** It says nothing about the model: a wrong request, a client that went away. */
  left(): void {
    this.#isTrying = false;
  }

  #isTooMuch(): boolean {
    const failed = sum(this.#failed);
    const all = failed + sum(this.#succeeded);
    const { minRequests, failureShare } = this.#settings;
    return all >= minRequests && failed / all >= failureShare;
  }

  #count(counts: Float64Array): void {
    const part = Math.floor((this.#now() * parts) / this.#settings.windowMs);
    const passed = Math.min(part - this.#part, parts);
    for (let i = 0; i < passed; i++) {
      this.#succeeded[(part - i) % parts] = 0;
      this.#failed[(part - i) % parts] = 0;
    }
    this.#part = part;
    counts[part % parts] = (counts[part % parts] ?? 0) + 1;
  }

  #refusal(leftMs: number): ProtocolError {
    return new ProtocolError(
      'CircuitOpen',
      `the model failed on too many requests and rests; try again later`,
      { headers: { 'retry-after': String(Math.ceil(leftMs / 1000)) } },
    );
  }

  #become(state: BreakerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onChange(state);
  }
}

function sum(counts: Float64Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
