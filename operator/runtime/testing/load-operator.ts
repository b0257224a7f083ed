import { jest } from '@jest/globals';
import type * as operatorModule from '../operator.ts';

/**
 * The operator module on the real @dot-i/k8s-operator. The package is CommonJS and requires the ES
 * module @kubernetes/client-node; Node can do that, jest's own module loader cannot, so Node's is
 * asked.
 */
export const loadOperator = async (): Promise<{
  readonly Operator: typeof operatorModule.Operator;
  readonly Base: { readonly prototype: object };
}> => {
  const { createRequire } = process.getBuiltinModule('node:module');
  const real: unknown = createRequire(import.meta.url)('@dot-i/k8s-operator');
  jest.unstable_mockModule('@dot-i/k8s-operator', () => ({ default: real }));
  const { Operator } = await import('../operator.ts');
  return { Operator, Base: (real as { readonly default: { readonly prototype: object } }).default };
};
