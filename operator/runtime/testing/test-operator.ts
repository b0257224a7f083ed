import type { ResourceEvent, ResourceMeta } from '@dot-i/k8s-operator';
import type { Cluster } from '../cluster.ts';
import type { Observer, OperatorOptions } from '../operator.ts';
import type { Reconciler } from '../reconciler.ts';
import type { ResourceType } from '../resource-type.ts';
import { loadOperator } from './load-operator.ts';
import { memoryLogger, memoryMetrics } from './recorders.ts';
import type { VirtualClock } from './virtual-clock.ts';

const { Operator, Base } = await loadOperator();

export { Base };

export type TestOperatorOptions = Partial<OperatorOptions> & {
  readonly cluster: Cluster;
  readonly reconcilers?: readonly Reconciler[];
  /** Further declarations: watches and observers. */
  readonly declare?: (operator: TestOperator) => Promise<void> | void;
};

/** An operator of given reconcilers that keeps its log and its measurements. */
export class TestOperator extends Operator {
  readonly log;
  readonly measured;
  readonly #declared: Pick<TestOperatorOptions, 'reconcilers' | 'declare'>;

  constructor({ reconcilers, declare, ...options }: TestOperatorOptions) {
    const log = memoryLogger();
    const { measured, runtime } = memoryMetrics();
    super({
      log,
      metrics: runtime,
      random: () => 0,
      workers: 4,
      finalizerDeadlineMs: 60_000,
      identity: 'test',
      ...options,
    });
    this.log = log;
    this.measured = measured;
    this.#declared = { ...(reconcilers && { reconcilers }), ...(declare && { declare }) };
  }

  protected override async init(): Promise<void> {
    for (const reconciler of this.#declared.reconcilers ?? []) this.control(reconciler);
    await this.#declared.declare?.(this);
  }

  override observe(type: ResourceType, observer: Observer): void {
    super.observe(type, observer);
  }

  watch(type: ResourceType, onEvent: (event: ResourceEvent) => Promise<void>, namespace?: string) {
    return this.watchResource(type.group, type.version, type.plural, onEvent, namespace);
  }

  setStatus(meta: ResourceMeta, status: unknown) {
    return this.setResourceStatus(meta, status);
  }

  patchStatus(meta: ResourceMeta, status: unknown) {
    return this.patchResourceStatus(meta, status);
  }

  handleFinalizer(
    event: ResourceEvent,
    finalizer: string,
    action: (event: ResourceEvent) => Promise<void>,
  ) {
    return this.handleResourceFinalizer(event, finalizer, action);
  }
}

/** Starts an operator on a virtual clock and lets it come to rest. */
export const started = async (
  clock: VirtualClock,
  options: TestOperatorOptions,
): Promise<TestOperator> => {
  const operator = new TestOperator({ clock, ...options });
  void operator.start();
  await clock.advance(10);
  return operator;
};

export const stopped = async (operator: TestOperator): Promise<void> => {
  operator.stop();
  await operator.stopped();
};
