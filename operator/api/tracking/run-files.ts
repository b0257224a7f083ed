import type { FastifyRequest } from 'fastify';
import { cleanArtifactPath } from '../../artifacts/artifact-path.ts';
import { runArtifactKey } from '../../artifacts/locations.ts';
import type { Run } from '../../kinds/experiment/run-store.ts';
import type { RouteContext } from '../route-context.ts';
import { MlflowError } from './mlflow-error.ts';
import { trackedRun } from './tracking-access.ts';
import type { TrackingMode } from './tracking-access.ts';
import { versionFileKey, versionPlace } from './version-artifacts.ts';

/** A place among a run's artifacts; '' is the root. */
export type RunFile = { readonly run: Run; readonly path: string };

const RUN_PATH = /^([^/]+)\/runs\/([^/]+)\/artifacts(?:\/(.*))?$/s;

/**
 * Reads `<namespace>/runs/<run>/artifacts/<path>`. The run decides who may; the namespace must be
 * the run's own, so that a path never says more than its run does.
 */
export const placed = async (
  context: RouteContext,
  request: FastifyRequest,
  location: string,
  mode: TrackingMode,
): Promise<RunFile> => {
  const [, namespace, runId = '', path = ''] = RUN_PATH.exec(location) ?? [];
  if (namespace === undefined) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      'Artifacts belong to runs: log them with an active run, whose artifact_uri says where.',
    );
  }
  const clean = path === '' ? '' : cleanArtifactPath(path);
  const run = await trackedRun(context, request, runId, mode);
  if (run.experiment.namespace !== namespace) {
    throw new MlflowError(
      'RESOURCE_DOES_NOT_EXIST',
      `Run with id=${runId} not found, or not yours to see.`,
    );
  }
  return { run, path: clean };
};

/** A file of a run that the caller may write now. */
export const writableFile = async (
  context: RouteContext,
  request: FastifyRequest,
  location: string,
): Promise<RunFile & { readonly key: string }> => {
  const { run, path } = await placed(context, request, location, 'write');
  if (path === '') throw noFile();
  if (run.lifecycleStage === 'deleted') {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `Run ${run.runId} is deleted; restore it before logging to it.`,
    );
  }
  return { run, path, key: runArtifactKey(run.experiment.namespace, run.runId, path) };
};

/** The key of a file of a run or of a registered version that the caller may read. */
export const readableKey = async (
  context: RouteContext,
  request: FastifyRequest,
  location: string,
): Promise<string> => {
  const ofVersion = await versionPlace(context, request, location);
  if (ofVersion !== undefined) return versionFileKey(ofVersion);
  const { run, path } = await placed(context, request, location, 'read');
  if (path === '') throw noFile();
  return runArtifactKey(run.experiment.namespace, run.runId, path);
};

const noFile = (): MlflowError =>
  new MlflowError('INVALID_PARAMETER_VALUE', 'The path names a run but no file of it.');

export const tooLarge = (path: string, bytes: number, maxBytes: number): MlflowError =>
  new MlflowError(
    'INVALID_PARAMETER_VALUE',
    `"${path}" has ${bytes} bytes, but an artifact may have at most ${maxBytes}; nothing was stored. ` +
      'Log a smaller file, or ask the administrator to raise the artifact limit.',
    { status: 413 },
  );
