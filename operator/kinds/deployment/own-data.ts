/** What we know ourselves of the answers of two versions: labels, and sketches of their distributions. */
import { readSummary } from '../../../serving-runtime/protocol/sketch-cells.ts';
import type { FeatureSummary } from '../../../serving-runtime/protocol/sketch-record.ts';
import { mergeSummaries } from '../../../serving-runtime/protocol/sketch-record.ts';
import { DatabaseUnavailable } from '../../store/database-error.ts';
import type { ErrorAnswer, LabelStore } from '../../store/labels.ts';
import type { DeploymentKey, NewSketch, PredictionStore } from '../../store/predictions.ts';

/** Features by name. */
export type Distribution = ReadonlyMap<string, FeatureSummary>;

export type OwnData = {
  readonly errors?: ErrorAnswer;
  /** By version. */
  readonly distributions?: ReadonlyMap<string, Distribution>;
  /** Sketches that are none, and were left out. */
  readonly unreadable?: number;
  /** Why nothing could be read. */
  readonly failed?: string;
};

export type OwnDataQuestion = {
  readonly deployment: DeploymentKey;
  /** RFC 3339. */
  readonly since: string;
  readonly versions: readonly string[];
  /** Undefined: not asked. `output` undefined: all outputs. */
  readonly errors: { readonly output: string | undefined } | undefined;
  readonly drift: { readonly role: NewSketch['role'] } | undefined;
};

/**
 * Reads in the background, as a pass awaits nothing. Sketches are merged as they come and kept in memory,
 * so that each is read once; after a restart of the operator they are read again.
 */
export type OwnDataReader = {
  /** Throws what the signal aborts with; then nothing is taken. */
  read(group: string, question: OwnDataQuestion, signal: AbortSignal): Promise<void>;
  /** What the last read of this very question found; undefined: nothing yet. */
  latest(group: string, question: OwnDataQuestion): OwnData | undefined;
  forget(group: string): void;
};

type Merged = {
  readonly last: string;
  readonly features: ReadonlyMap<string, Distribution>;
  readonly unreadable: number;
};
type Group = { readonly asks: string; merged: Merged; data: OwnData | undefined };
type Stores = {
  readonly labels: LabelStore;
  readonly predictions: Pick<PredictionStore, 'sketchesAfter'>;
};

const NOTHING: Merged = { last: '0', features: new Map(), unreadable: 0 };

export const ownDataReader = (stores: Stores): OwnDataReader => {
  const groups = new Map<string, Group>();
  return {
    read: async (name, question, signal) => {
      const asks = JSON.stringify(question);
      const known = groups.get(name);
      const group = known?.asks === asks ? known : { asks, merged: NOTHING, data: undefined };
      groups.set(name, group);
      try {
        const { errors, drift } = question;
        const found =
          errors && (await stores.labels.errors(question.deployment, { ...question, ...errors }));
        const merged = drift && (await readOn(stores, question, drift.role, group.merged));
        signal.throwIfAborted();
        group.merged = merged ?? NOTHING;
        group.data = {
          ...(found && { errors: found }),
          ...(merged && { distributions: merged.features, unreadable: merged.unreadable }),
        };
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable)) throw error;
        group.data = { failed: error.message };
      }
    },
    latest: (name, question) => {
      const group = groups.get(name);
      return group?.asks === JSON.stringify(question) ? group.data : undefined;
    },
    forget: (name) => {
      groups.delete(name);
    },
  };
};

/** With the sketches that were written since. */
const readOn = async (
  { predictions }: Stores,
  { deployment, since, versions }: OwnDataQuestion,
  role: NewSketch['role'],
  before: Merged,
): Promise<Merged> => {
  let merged = before;
  for (;;) {
    const question = { versions, since, role, after: merged.last };
    const { sketches, last } = await predictions.sketchesAfter(deployment, question);
    merged = { ...sketches.reduce(withSketch, merged), last };
    if (sketches.length === 0) return merged;
  }
};

/** Text that is no sketch is counted and left out: a pod made it, and there are others. */
const withSketch = (merged: Merged, { version, feature, sketch }: NewSketch): Merged => {
  const summary = readSummary(sketch);
  if (summary === undefined) return { ...merged, unreadable: merged.unreadable + 1 };
  const of = new Map(merged.features.get(version));
  const before = of.get(feature);
  of.set(feature, before === undefined ? summary : mergeSummaries(before, summary));
  return { ...merged, features: new Map([...merged.features, [version, of]]) };
};
