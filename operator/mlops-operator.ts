import { kinds } from '../crds/schema/all.ts';
import { allReconcilers } from './kinds/all.ts';
import type { Ports } from './kinds/ports.ts';
import { Operator, type OperatorOptions } from './runtime/operator.ts';
import { ownType } from './runtime/own-type.ts';
import type { ChangeObserver } from './store/observed-change.ts';

/** All watches of this operator: a controller for each kind, and the mirror behind all of them. */
export class MlopsOperator extends Operator {
  readonly #ports: Ports;
  readonly #mirror: ChangeObserver;

  constructor(options: OperatorOptions, ports: Ports, mirror: ChangeObserver) {
    super(options);
    this.#ports = ports;
    this.#mirror = mirror;
  }

  protected override async init(): Promise<void> {
    for (const reconciler of allReconcilers(this.#ports)) this.control(reconciler);
    for (const kind of kinds) {
      this.observe(ownType(kind), {
        changed: ({ type, object }) =>
          this.#mirror.observe({
            kind: kind.kind,
            type: type === 'DELETED' ? 'delete' : 'upsert',
            object,
          }),
        listed: (objects) => this.#mirror.snapshot(kind.kind, objects),
      });
    }
  }
}
