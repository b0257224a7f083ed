import type { Reason } from '../../../crds/schema/conditions.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { Outcome, StatedCondition } from '../../runtime/reconciler.ts';
import { condition, ready, settled, stalled, working } from '../outcome.ts';
import type { Finding } from './finding.ts';
import { knownOf } from './standing.ts';

const READ_AGAIN_MS = 15_000;

/** No approval policies exist in this release; the condition says so rather than being absent. */
const APPROVED: StatedCondition = {
  type: 'Approved',
  status: 'True',
  reason: 'NotRequired',
  message: 'Nothing asks for an approval of this version.',
};

/** What a finding means for the version; `expected` is the digest the bytes should have. */
export const judge = (
  version: ModelVersion,
  finding: Finding,
  expected: string | undefined,
): Outcome => {
  switch (finding.found) {
    case 'bytes':
      return expected !== undefined && expected !== finding.digest
        ? mismatch(version, { expected, actual: finding.digest })
        : good(version, finding);
    case 'other-bytes':
      return mismatch(version, finding);
    case 'unfit':
      return stalled(...said(version, finding.reason, finding.message));
    case 'nothing':
      return working(...said(version, finding.reason, finding.message, READ_AGAIN_MS));
  }
};

/** A version whose bytes were read before and are what they should be. */
export const verified = (version: ModelVersion): Outcome => {
  const { digest = '', sizeBytes = 0, inputs, outputs } = version.status ?? {};
  return good(version, {
    digest,
    sizeBytes,
    ...(inputs === undefined ? {} : { inputs }),
    ...(outputs === undefined ? {} : { outputs }),
  });
};

const good = (
  version: ModelVersion,
  { digest, sizeBytes, inputs, outputs }: Omit<Extract<Finding, { found: 'bytes' }>, 'found'>,
): Outcome => {
  const checked =
    version.spec.verification === undefined
      ? 'The spec names no digest, so the one that was read first is what pods must find.'
      : 'They are the bytes that were registered.';
  const signature =
    inputs === undefined ? '' : `, ${inputs.length} input(s) and ${outputs?.length ?? 0} output(s)`;
  return settled(ready('True', 'Ready', `${sizeBytes} bytes with digest ${digest}${signature}.`), {
    status: {
      digest,
      sizeBytes,
      ...(inputs === undefined ? {} : { inputs }),
      ...(outputs === undefined ? {} : { outputs }),
    },
    conditions: [
      condition(
        'ArtifactVerified',
        'True',
        'ArtifactVerified',
        `The bytes at ${version.spec.storageUri} have digest ${digest}. ${checked}`,
      ),
      APPROVED,
    ],
  });
};

const mismatch = (
  version: ModelVersion,
  { expected, actual }: { readonly expected: string; readonly actual: string },
): Outcome => {
  const known = {
    ...knownOf(version),
    ...(version.status?.digest === undefined ? { digest: expected } : {}),
  };
  const [summary, more] = said(
    version,
    'DigestMismatch',
    `The bytes at ${version.spec.storageUri} have digest ${actual}, but ${expected} was registered. No pod will serve them: restore the file, or register the new bytes as another version.`,
  );
  return stalled(summary, { ...more, status: known });
};

const said = (version: ModelVersion, reason: Reason, message: string, requeueAfterMs?: number) => {
  const unsure = reason === 'StoreUnavailable' ? 'Unknown' : 'False';
  return [
    ready(unsure, reason, message),
    {
      status: knownOf(version),
      conditions: [condition('ArtifactVerified', unsure, reason, message), APPROVED],
      ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
    },
  ] as const;
};
