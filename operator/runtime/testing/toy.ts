import { CONFIG_MAP, SERVICE } from '../kubernetes-types.ts';
import type { OwnObject, Pass, Reconciler } from '../reconciler.ts';
import { configMap, WIDGET } from './objects.ts';

type Toy = OwnObject & { readonly spec: { readonly value?: string } };

/** Outside state that a finalizer guards: which widgets have an account there. */
export type Outside = Set<string>;

/** A small controller with everything: two children, outside state and a finalizer. */
export const toyReconciler = (outside: Outside): Reconciler => ({
  type: WIDGET,
  fieldManager: 'toy',
  owns: [CONFIG_MAP, SERVICE],
  watches: [],
  permissions: [],
  finalizer: 'example.io/account',
  reconcile: async (object, pass: Pass) => {
    const { metadata, spec } = object as Toy;
    outside.add(metadata.name);
    await pass.apply(CONFIG_MAP, configMap(`${metadata.name}-config`, { value: spec.value ?? '' }));
    await pass.ensure(SERVICE, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `${metadata.name}-service` },
    });
    return {
      status: { value: spec.value ?? '' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'Ready', message: 'both are there' }],
      progress: 'settled',
    };
  },
  finalize: async (object) => {
    outside.delete(object.metadata.name);
    return { done: true };
  },
});
