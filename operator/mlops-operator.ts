import { kinds } from '../crds/schema/all.ts';
import { allReconcilers } from './kinds/all.ts';
import type { Ports } from './kinds/ports.ts';
import { Operator, type OperatorOptions } from './runtime/operator.ts';
import { ownType } from './runtime/own-type.ts';
import type { KubernetesObject } from './runtime/resource-type.ts';
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
    for (const { kind, plural } of kinds) {
      this.observe(ownType({ kind, plural }), {
        changed: ({ type, object }) =>
          this.#mirror.observe({ kind, type: type === 'DELETED' ? 'delete' : 'upsert', object }),
        listed: (objects) => this.#mirror.snapshot(kind, objects),
      });
    }
  }

  /** All cached objects of a kind, for a mirror that lost changes; undefined while not synced. */
  currentObjects(kind: string): readonly KubernetesObject[] | undefined {
    const definition = kinds.find((each) => each.kind === kind);
    return definition === undefined ? undefined : this.cachedObjects(ownType(definition));
  }
}
