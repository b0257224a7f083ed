import { pipelineRun } from '../../crds/schema/pipeline-run.ts';
import { pipeline } from '../../crds/schema/pipeline.ts';
import { retrainPolicy } from '../../crds/schema/retrain-policy.ts';
import type { Reconciler } from '../runtime/reconciler.ts';
import { abTestReconciler } from './ab-test/reconcile.ts';
import { deploymentReconciler } from './deployment/reconcile.ts';
import { experimentReconciler } from './experiment/reconcile.ts';
import { modelAliasReconciler } from './model-alias/reconcile.ts';
import { modelVersionReconciler } from './model-version/reconcile.ts';
import { modelReconciler } from './model/reconcile.ts';
import { notImplementedReconciler } from './not-implemented/reconcile.ts';
import type { Ports } from './ports.ts';

/** The one list of controllers, one for each kind. */
export const allReconcilers = (ports: Ports): readonly Reconciler[] =>
  [
    modelReconciler(),
    modelVersionReconciler(ports),
    modelAliasReconciler(),
    experimentReconciler(ports),
    deploymentReconciler(ports),
    abTestReconciler(ports),
    ...[pipeline, pipelineRun, retrainPolicy].map(notImplementedReconciler),
  ] as readonly Reconciler[];
