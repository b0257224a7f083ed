/** Brings a model's bytes to the cache, verified, with patience for storage that is away. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ModelSource } from './source-setting.ts';
import type { FetchedModel, HashedFile } from './model-cache.ts';
import {
  describeModel,
  digestOf,
  diskFailure,
  findCached,
  keepFolder,
  newPartialFolder,
} from './model-cache.ts';
import { ModelFailure } from '../model-failure.ts';
import type { OpenedSource } from './model-source.ts';
import { openSource } from './model-source.ts';
import type { FailureReason } from '../protocol/termination-message.ts';
import { SourceError } from './source-error.ts';
import { storeFile, tooLarge } from './store-file.ts';

export type FetchRequest = {
  readonly source: ModelSource;
  /** What the bytes must hash to; `undefined` takes them as they come (inspection of a new model). */
  readonly digest: string | undefined;
  readonly cacheDir: string;
  readonly isCacheShared?: boolean;
  readonly maxModelBytes: number;
  /** How long unreachable storage is asked again before giving up. */
  readonly fetchMs: number;
};

export type FetchEnvironment = {
  readonly now: () => number;
  readonly random: () => number;
  /** Rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onAttemptFailed: (attempt: number, reason: FailureReason, message: string) => void;
};

/** A token or URL may expire between grant and use, so a refusal is believed the second time. */
const believedRefusals = 2;
const firstPauseMs = 500;
const longestPauseMs = 30_000;

/**
 * Fetches and verifies a model. Storage that fails (5xx, connection loss) is asked again, each time
 * with a fresh presigned URL, with growing pauses until `fetchMs` is over. Throws ModelFailure.
 */
export async function fetchModel(
  request: FetchRequest,
  environment: FetchEnvironment,
  signal: AbortSignal,
): Promise<FetchedModel> {
  if (request.digest !== undefined) {
    const cached = await findCached(request.cacheDir, request.digest);
    if (cached !== undefined) return cached;
  }
  const started = environment.now();
  let refusals = 0;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const outcome = await attemptFetch(request, signal);
    if (!(outcome instanceof Error)) return outcome;
    signal.throwIfAborted();
    environment.onAttemptFailed(attempt, outcome.code, outcome.message);
    if (outcome.retry === 'refused') refusals++;
    const pause = backoff(attempt, environment.random());
    const spent = environment.now() - started;
    if (
      outcome.retry === 'final' ||
      refusals >= believedRefusals ||
      spent + pause > request.fetchMs
    ) {
      throw giveUp(outcome, attempt);
    }
    await environment.sleep(pause, signal);
  }
}

/** Between half and the whole of 0.5 s, 1 s, 2 s … 30 s, so that replicas do not ask in step. */
function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
  return Math.round(ceiling * (0.5 + random / 2));
}

class DigestMismatch extends SourceError {
  readonly digests: { readonly expected: string; readonly actual: string };

  constructor(expected: string, actual: string) {
    super(
      'DigestMismatch',
      'refused',
      `the model's bytes hash to ${actual}, the approved digest is ${expected}; they were changed after approval: restore them, or register them as a new version`,
    );
    this.digests = { expected, actual };
  }
}

function giveUp(error: SourceError, attempts: number): ModelFailure {
  const digests = error instanceof DigestMismatch ? { digests: error.digests } : {};
  const message =
    error.code === 'ArtifactUnavailable'
      ? `${error.message} (gave up after ${String(attempts)} attempts)`
      : error.message;
  return new ModelFailure(error.code, message, { cause: error, ...digests });
}

async function attemptFetch(
  request: FetchRequest,
  signal: AbortSignal,
): Promise<FetchedModel | SourceError> {
  const folder = await newPartialFolder(request.cacheDir, request.isCacheShared);
  // Ends the connection however the attempt ends, also where its body was never read.
  const attempt = new AbortController();
  try {
    const opened = await openSource(request.source, AbortSignal.any([signal, attempt.signal]));
    const files = await storeAll(opened, folder, request.maxModelBytes);
    const digest = digestOf(files, opened.isFolder);
    const expected = request.digest ?? opened.announcedDigest;
    if (expected !== undefined && expected !== digest) throw new DigestMismatch(expected, digest);
    const kept = await keepFolder(folder, request.cacheDir, digest);
    return describeModel(kept, files, digest);
  } catch (error) {
    if (error instanceof SourceError) return error;
    if (error instanceof ModelFailure || signal.aborted) throw error;
    throw diskFailure(error, request.cacheDir);
  } finally {
    attempt.abort();
    await rm(folder, { recursive: true, force: true });
  }
}

async function storeAll(
  opened: OpenedSource,
  folder: string,
  limitBytes: number,
): Promise<readonly HashedFile[]> {
  const announced = opened.files.reduce((total, file) => total + (file.sizeBytes ?? 0), 0);
  if (announced > limitBytes) throw tooLarge(String(announced), limitBytes);
  const stored: HashedFile[] = [];
  let room = limitBytes;
  for (const file of opened.files) {
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    const { sha256, sizeBytes } = await storeFile(file.open(), path, room, file.sizeBytes);
    room -= sizeBytes;
    stored.push({ path: file.path, sha256, sizeBytes });
  }
  return stored;
}
