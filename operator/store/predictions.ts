export type NewPrediction = {
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly unit: string | undefined;
  readonly variant: string | undefined;
  readonly version: string;
  readonly status: number;
  readonly latencyMs: number;
  /** The record as it was sent, JSON text. */
  readonly record: string;
};

export type NewSketch = {
  readonly version: string;
  readonly role: 'input' | 'output';
  readonly feature: string;
  /** RFC 3339. */
  readonly windowStart: string;
  readonly windowMs: number;
  /** JSON text. */
  readonly sketch: string;
};

export type DeploymentKey = { readonly namespace: string; readonly name: string };

export type PredictionBatch = {
  readonly batchId: string;
  readonly predictions: readonly NewPrediction[];
  readonly sketches: readonly NewSketch[];
};

export type SketchQuestion = {
  readonly versions: readonly string[];
  readonly role: NewSketch['role'];
  /** RFC 3339; of windows that began then or later. */
  readonly since: string;
  /** Where an earlier answer ended; `0`: at the beginning. */
  readonly after: string;
};

/** `last`: where it ends, to go on from; empty: there is nothing new. */
export type NewSketches = { readonly sketches: readonly NewSketch[]; readonly last: string };

/** A time of either end in RFC 3339; `since` belongs to it, `until` does not. */
export type TimeRange = { readonly since: string; readonly until: string };

/** What serving pods told of their requests. All throw `DatabaseUnavailable`. */
export type PredictionStore = {
  /** Writes a batch whole; false when a batch of this id was written before. */
  append(deployment: DeploymentKey, batch: PredictionBatch): Promise<boolean>;
  /** Records as JSON text, newest first. */
  latest(deployment: DeploymentKey, limit: number): Promise<readonly string[]>;
  /** Sketches of the windows that began within the range, oldest first. */
  sketches(deployment: DeploymentKey, range: TimeRange): Promise<readonly NewSketch[]>;
  /** Some of the sketches that were written after those of an earlier answer, in that order; none is missed. */
  sketchesAfter(deployment: DeploymentKey, question: SketchQuestion): Promise<NewSketches>;
};
