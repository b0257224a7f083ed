import { UploadNotFound } from './artifact-errors.ts';
import type { MultipartUploads } from './multipart-uploads.ts';

/** How long clients may go on sending parts. */
export const UPLOAD_LIVES_MS = 24 * 60 * 60 * 1000;
/** Somebody may be completing at the last moment. */
const GRACE_MS = 60 * 60 * 1000;

/**
 * Drops the parts of uploads that nobody may finish any more; returns how many there were. Several
 * replicas may sweep at once.
 */
export const sweepUploads = async (uploads: MultipartUploads, now: number): Promise<number> => {
  let dropped = 0;
  for await (const { startedAt, ...at } of uploads.open()) {
    if (now - startedAt.getTime() < UPLOAD_LIVES_MS + GRACE_MS) continue;
    try {
      await uploads.abort(at);
      dropped += 1;
    } catch (error) {
      if (!(error instanceof UploadNotFound)) throw error;
    }
  }
  return dropped;
};
