import type { ModelVersionStatus } from '../../../crds/schema/model-version.ts';
import type { FailureReason } from '../../../serving-runtime/protocol/termination-message.ts';

/** What reading the bytes of a version found out, whoever read them. */
export type Finding =
  | {
      readonly found: 'bytes';
      readonly digest: string;
      readonly sizeBytes: number;
      readonly inputs?: ModelVersionStatus['inputs'];
      readonly outputs?: ModelVersionStatus['outputs'];
    }
  /** Reading again would find the same. */
  | {
      readonly found: 'unfit';
      readonly reason: 'TooLarge' | 'InvalidModel';
      readonly message: string;
    }
  | { readonly found: 'other-bytes'; readonly expected: string; readonly actual: string }
  /** Worth reading again later. */
  | {
      readonly found: 'nothing';
      readonly reason: 'ArtifactNotFound' | 'ArtifactUnreadable' | 'StoreUnavailable';
      readonly message: string;
    };

/** How the serving runtime's own words for a failure translate. */
export const findingOfFailure = (failure: {
  readonly reason: FailureReason;
  readonly message: string;
  readonly expected?: string;
  readonly actual?: string;
}): Finding => {
  const { reason, message, expected, actual } = failure;
  switch (reason) {
    case 'DigestMismatch':
      return { found: 'other-bytes', expected: expected ?? 'unknown', actual: actual ?? 'unknown' };
    case 'TooLarge':
    case 'InvalidModel':
      return { found: 'unfit', reason, message };
    case 'ArtifactNotFound':
      return { found: 'nothing', reason, message };
    case 'ArtifactUnavailable':
    case 'NotAuthorized':
    case 'InvalidConfig':
      return { found: 'nothing', reason: 'ArtifactUnreadable', message };
  }
};
