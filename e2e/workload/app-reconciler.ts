import { APPS_DEPLOYMENT, CONFIG_MAP, SERVICE } from '../../operator/runtime/kubernetes-types.ts';
import type { Reconciler } from '../../operator/runtime/reconciler.ts';
import { APP, type App } from './app.ts';
import { configMapOf, deploymentOf, serviceOf } from './children.ts';

export const CLEANUP_FINALIZER = 'bench.mlops.pynomaly.io/cleanup';

/** Three children, a finalizer and a status: what a controller of a usual kind does. */
export const appReconciler = (finalized: (app: App) => void): Reconciler<App> => ({
  type: APP,
  fieldManager: 'app-operator',
  owns: [CONFIG_MAP, APPS_DEPLOYMENT, SERVICE],
  watches: [],
  permissions: [],
  finalizer: CLEANUP_FINALIZER,
  reconcile: async (app, pass) => {
    await pass.apply(CONFIG_MAP, configMapOf(app));
    await pass.apply(APPS_DEPLOYMENT, deploymentOf(app));
    await pass.apply(SERVICE, serviceOf(app));
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
