import { Operator, type OperatorOptions } from '../../operator/runtime/operator.ts';
import { appReconciler } from './app-reconciler.ts';

/** The operator of the kind App, as a user of the runtime would write it. */
export class AppOperator extends Operator {
  readonly #options: OperatorOptions;

  constructor(options: OperatorOptions) {
    super(options);
    this.#options = options;
  }

  protected override async init(): Promise<void> {
    const { log } = this.#options;
    this.control(
      appReconciler(({ metadata: { namespace, name } }) =>
        log.info({ namespace, name }, 'cleaned up'),
      ),
    );
  }
}
