/** Fetches one model from S3 in a process of its own, as a pod does: `fetch-from-s3.ts BUCKET KEY CREDENTIALS CACHE`. */
import { fetchModel } from '../fetching/fetch-model.ts';

const [bucket = '', key = '', credentialsDir = '', cacheDir = ''] = process.argv.slice(2);
const fetched = await fetchModel(
  {
    source: { kind: 's3', bucket, key, credentialsDir },
    digest: undefined,
    cacheDir,
    maxModelBytes: 100_000_000,
    fetchMs: 30_000,
  },
  {
    now: () => performance.now(),
    random: () => 0,
    sleep: async () => undefined,
    onAttemptFailed: () => undefined,
  },
  new AbortController().signal,
);
process.stdout.write(JSON.stringify(fetched));
