import { createHash, timingSafeEqual } from 'node:crypto';
import { TOKEN_TAG } from '../../kinds/experiment/artifact-record.ts';
import type { Run, RunStore } from '../../kinds/experiment/run-store.ts';
import type { Authenticator } from '../auth.ts';
import type { Identity } from '../identity.ts';
import { Problem } from '../problem.ts';

const TOKEN = /^Bearer +mlrun\.([0-9a-f]{32})\.([0-9a-f]{64})$/i;

/** What ends a run can come before its last upload. */
const GRACE_MS = 10 * 60_000;

export const runTokenOf = (runId: string, secret: string): string => `mlrun.${runId}.${secret}`;

/** The record of a token in the tags of its run: only a hash, which nobody can log in with. */
export const tokenTag = (secret: string, at: number): Readonly<Record<string, string>> => ({
  [TOKEN_TAG + hashOf(secret)]: String(at),
});

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Tags of a run's tokens, the oldest first. */
export const tokenTags = ({ tags }: Pick<Run, 'tags'>): readonly string[] =>
  Object.entries(tags)
    .filter(([key]) => key.startsWith(TOKEN_TAG))
    .toSorted(([, a], [, b]) => Number(a) - Number(b))
    .map(([key]) => key);

/**
 * Accepts tokens of runs beside those of the cluster. Such a token lives as long as its run and may
 * do nothing but track it, so training that outlasts every other token goes on logging.
 */
export const withRunTokens =
  (authenticate: Authenticator, runs: RunStore, now: () => number): Authenticator =>
  async (authorization) => {
    const [, runId, secret = ''] = TOKEN.exec(authorization ?? '') ?? [];
    if (runId === undefined) return authenticate(authorization);
    const run = await runs.getRun(runId);
    if (run !== undefined && isKnown(run, secret) && isAlive(run, now())) return identityFor(run);
    throw new Problem(
      'Unauthorized',
      'This run token is not valid: its run has ended or was deleted, or the token was replaced. ' +
        'Ask for a new one with a Kubernetes token: POST /api/2.0/mlops/runs/<run>/token.',
    );
  };

const isKnown = (run: Run, secret: string): boolean => {
  const wanted = Buffer.from(hashOf(secret));
  return tokenTags(run).some((key) => {
    const known = Buffer.from(key.slice(TOKEN_TAG.length));
    return known.length === wanted.length && timingSafeEqual(known, wanted);
  });
};

const isAlive = ({ status, endTime = 0, lifecycleStage }: Run, now: number): boolean =>
  lifecycleStage === 'active' &&
  (status === 'RUNNING' || status === 'SCHEDULED' || now < endTime + GRACE_MS);

const identityFor = ({ runId, experiment }: Run): Identity => ({
  username: `mlops:run:${runId}`,
  uid: '',
  groups: [],
  extra: {},
  namespace: experiment.namespace,
  run: { runId, experiment: experiment.name },
});

/** Whether a run is one that this caller's token was made for: the run itself, or one nested in it. */
export const isOwnRun = (identity: Identity, run: Pick<Run, 'runId' | 'tags'>): boolean =>
  identity.run === undefined ||
  run.runId === identity.run.runId ||
  run.tags['mlflow.parentRunId'] === identity.run.runId;
