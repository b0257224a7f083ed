import type { Context } from '../cluster/cluster.ts';
import { writeOverlay } from './overlay.ts';
import { DemoError, type Target } from './target.ts';
import { condition, ready, watchUntil, type WithConditions } from './watch.ts';

export const DEMO_NAMESPACE = 'demo';
const GROUP = 'mlops.pynomaly.io';
const EXPERIMENT = 'digits-train';
const EXAMPLE = '01-train-and-serve';

type Experiment = WithConditions & { readonly status?: { readonly registeredVersion?: unknown } };
type Version = WithConditions & {
  readonly spec: { readonly version: string; readonly modelRef: { readonly name: string } };
};
type Deployment = WithConditions & { readonly status?: { readonly servedVersion?: string } };

/** Applies examples/01-train-and-serve and follows it until the model serves. */
export async function runExample(context: Context, target: Target): Promise<void> {
  const { progress } = context;
  await progress.step('applying examples/01-train-and-serve', async () => {
    const overlay = writeOverlay(context.config, target.images, EXAMPLE, 'example');
    await retrainIfChanged(context, target);
    await target.kubectl(['apply', '-k', overlay]);
  });
  const seen = { namespace: DEMO_NAMESPACE, progress };
  await progress.step('training', () =>
    watchUntil<Experiment>(target, {
      ...seen,
      object: `experiment.${GROUP}/${EXPERIMENT}`,
      timeoutSeconds: 900,
      judge: trained,
    }),
  );
  const version = await newestVersion(target);
  await progress.step(`reading version ${version.spec.version}`, () =>
    watchUntil<Version>(target, {
      ...seen,
      object: `modelversion.${GROUP}/${version.metadata.name}`,
      timeoutSeconds: 120,
      judge: ready,
    }),
  );
  await progress.step('serving', () =>
    watchUntil<Deployment>(target, {
      ...seen,
      object: `modeldeployment.${GROUP}/digits`,
      timeoutSeconds: 300,
      judge: (object) => serves(object, version.spec.version),
    }),
  );
}

/** Runs the prediction Job afresh and returns what it printed. */
export async function predict(context: Context, target: Target): Promise<string> {
  const { progress } = context;
  const overlay = writeOverlay(context.config, target.images, `${EXAMPLE}/predict`, 'predict');
  const job = ['job/digits-predict', '-n', DEMO_NAMESPACE];
  return progress.step('predicting', async () => {
    await target.kubectl(['delete', ...job, '--ignore-not-found', '--wait']);
    await target.kubectl(['apply', '-k', overlay]);
    const finished = await watchUntil<WithConditions>(target, {
      object: 'job.batch/digits-predict',
      namespace: DEMO_NAMESPACE,
      timeoutSeconds: 300,
      progress,
      judge: (object) => {
        const done = ['Complete', 'Failed'].some(
          (type) => condition(object, type)?.status === 'True',
        );
        return { done, state: done ? 'finished' : 'running' };
      },
    });
    const log = await target.kubectl(['logs', ...job, '--tail=-1']);
    if (condition(finished, 'Complete')?.status === 'True') return log;
    throw new DemoError(`The served model does not answer as scikit-learn does:\n${log}`);
  });
}

function trained(object: Experiment): { done: boolean; state: string } {
  const failed = condition(object, 'Failed');
  if (failed?.status === 'True') {
    throw new DemoError(`Experiment ${EXPERIMENT} failed (${failed.reason}): ${failed.message}`);
  }
  const { state } = ready(object);
  return { done: condition(object, 'Complete')?.status === 'True', state };
}

function serves(object: Deployment, version: string): { done: boolean; state: string } {
  const { done, state } = ready(object);
  return { done: done && object.status?.servedVersion === version, state };
}

/** The version that the experiment's run became. */
async function newestVersion(target: Target): Promise<Version> {
  const versions = JSON.parse(
    await target.kubectl(['get', `modelversions.${GROUP}`, '-n', DEMO_NAMESPACE, '-o', 'json']),
  ) as { readonly items: readonly (Version & { metadata: { creationTimestamp: string } })[] };
  const newest = versions.items
    .filter(({ spec }) => spec.modelRef.name === 'digits')
    .sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))
    .at(-1);
  if (newest !== undefined) return newest;
  throw new DemoError(
    `Experiment ${EXPERIMENT} is complete, but there is no ModelVersion of digits.`,
  );
}

/** An Experiment runs once and its template never changes: another trainer needs another run. */
async function retrainIfChanged({ progress }: Context, target: Target): Promise<void> {
  const path = '.spec.trialTemplate.trialSpec.spec.template.spec.containers[0].image';
  const image = await target.kubectl([
    ...['get', `experiments.${GROUP}`, EXPERIMENT, '-n', DEMO_NAMESPACE, '--ignore-not-found'],
    ...['-o', `jsonpath={${path}}`],
  ]);
  if (image === '' || image === target.images['mlops-trainer-digits']) return;
  progress.note('  the training program changed: the Experiment is made anew, its versions stay');
  await target.kubectl([
    ...['delete', `experiments.${GROUP}`, EXPERIMENT, '-n', DEMO_NAMESPACE, '--timeout=120s'],
  ]);
}
