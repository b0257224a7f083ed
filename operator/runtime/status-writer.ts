import { isNotFound, type Cluster } from './cluster.ts';
import type { Clock } from './clock.ts';
import { same } from './coverage.ts';
import { ITSELF, type Doubts } from './doubts.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { Informers } from './informers.ts';
import type { OwnObject, Outcome, Reconciler } from './reconciler.ts';
import { apiVersionOf, keyOf } from './resource-type.ts';
import { conditionsOf, statusOf } from './status.ts';

/** What the server took in during a pass, also of one that failed in the end. */
export type Progress = { writes: number };

/** One pass over one object. */
export type Turn = {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly doubts: Doubts;
};

export type StatusWriterOptions = {
  readonly reconciler: Pick<Reconciler, 'type' | 'fieldManager'>;
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly events: EventRecorder;
  readonly clock: Clock;
};

/** Writes what a pass found out as status, where it differs, and tells of it when Ready changes. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  async write(object: OwnObject, outcome: Outcome, { progress, doubts }: Turn): Promise<void> {
    const { reconciler, cluster, informers, clock } = this.#options;
    const status = statusOf(object, outcome, new Date(clock.now()));
    if (same(object.status, status)) return;
    const { namespace, name } = keyOf(object);
    const { uid, resourceVersion } = object.metadata;
    const body = {
      apiVersion: apiVersionOf(reconciler.type),
      kind: reconciler.type.kind,
      // The uid keeps a status from landing on an object that has taken the name meanwhile, and the
      // version from landing on one that has moved on: what was decided of an old state is not said.
      metadata: {
        namespace,
        name,
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
      },
      status,
    };
    let written: OwnObject;
    try {
      written = await doubts.writing(ITSELF, () =>
        cluster.apply<OwnObject>(reconciler.type, body, {
          fieldManager: reconciler.fieldManager,
          subresource: 'status',
        }),
      );
    } catch (error) {
      // Gone while the pass was under way: there is nothing left to say.
      if (isNotFound(error)) return;
      throw error;
    }
    progress.writes += 1;
    informers.learn(reconciler.type, written);
    this.#tellOfChange(object, outcome);
  }

  #tellOfChange(object: OwnObject, outcome: Outcome): void {
    const before = conditionsOf(object).find(({ type }) => type === 'Ready');
    const after = outcome.conditions.find(({ type }) => type === 'Ready');
    if (after === undefined || (before?.status === after.status && before.reason === after.reason))
      return;
    const type = after.status === 'False' && outcome.progress !== 'working' ? 'Warning' : 'Normal';
    const { reason, message } = after;
    void this.#options.events.record(object, { type, reason, message });
  }
}
