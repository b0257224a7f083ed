import { LogCollapsingLowestDenseDDSketch } from '@datadog/sketches-js';
import type { FeatureSummary, NumberSummary } from '../protocol/sketch-record.ts';
import { FrequentValues } from './frequent-values.ts';

/** So many bins hold nine orders of magnitude on either side of 1; below them the smallest are lumped. */
const accuracy = { relativeAccuracy: 0.01, binLimit: 2048 };
const maxTextLength = 64;

/** One feature over one window; memory is bounded whatever the values are. */
export class FeatureSketch {
  #count = 0;
  #nulls = 0;
  #infinite = 0;
  #numbers = 0;
  #mean = 0;
  #m2 = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  readonly #quantiles = new LogCollapsingLowestDenseDDSketch(accuracy);
  #values: FrequentValues | undefined;

  addNumber(value: number): void {
    this.#count++;
    if (Number.isFinite(value)) this.#addFinite(value);
    else if (Number.isNaN(value)) this.#nulls++;
    else this.#infinite++;
  }

  /** A number of few values: how often each comes is counted too. */
  addInteger(value: number | bigint): void {
    this.addNumber(Number(value));
    this.#values ??= new FrequentValues();
    this.#values.add(String(value));
  }

  addText(value: string): void {
    this.#count++;
    this.#values ??= new FrequentValues();
    this.#values.add(value.length > maxTextLength ? value.slice(0, maxTextLength) : value);
  }

  summary(): FeatureSummary {
    const [numbers, values] = [this.#numberSummary(), this.#values?.list()];
    return {
      count: this.#count,
      nulls: this.#nulls,
      infinite: this.#infinite,
      ...(numbers === undefined ? {} : { numbers }),
      ...(values === undefined ? {} : { values }),
    };
  }

  /** Welford 1962: one pass, and no sum that grows beyond what a double holds exactly. */
  #addFinite(value: number): void {
    this.#numbers++;
    const delta = value - this.#mean;
    this.#mean += delta / this.#numbers;
    this.#m2 += delta * (value - this.#mean);
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#quantiles.accept(value);
  }

  #numberSummary(): NumberSummary | undefined {
    if (this.#numbers === 0) return undefined;
    return {
      count: this.#numbers,
      mean: this.#mean,
      m2: this.#m2,
      min: this.#min,
      max: this.#max,
      quantiles: Buffer.from(this.#quantiles.toProto()).toString('base64'),
    };
  }
}
