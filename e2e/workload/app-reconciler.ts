import { APPS_DEPLOYMENT, CONFIG_MAP, SERVICE } from '../../operator/runtime/kubernetes-types.ts';
import type { Reconciler } from '../../operator/runtime/reconciler.ts';
import { together } from '../../operator/runtime/together.ts';
import { APP, type App } from './app.ts';
import { configMapOf, deploymentOf, serviceOf } from './children.ts';

export const CLEANUP_FINALIZER = 'bench.mlops.pynomaly.io/cleanup';

/** Three children, a finalizer and a status: what a controller of a usual kind does. */
export const appReconciler = (finalized: (app: App) => void): Reconciler<App> => ({
  type: APP,
  fieldManager: 'app-operator',
  owns: [CONFIG_MAP, APPS_DEPLOYMENT, SERVICE],
  metadataOnly: [CONFIG_MAP, SERVICE],
  watches: [],
  permissions: [],
  finalizer: CLEANUP_FINALIZER,
  reconcile: async (app, pass) => {
    await together([
      pass.apply(CONFIG_MAP, configMapOf(app)),
      pass.apply(APPS_DEPLOYMENT, deploymentOf(app)),
      pass.apply(SERVICE, serviceOf(app)),
    ]);
    return {
      status: { value: app.spec.value },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Ready', message: 'All children are there.' },
      ],
      progress: 'settled',
    };
  },
  finalize: async (app) => {
    finalized(app);
    return { done: true };
  },
});
