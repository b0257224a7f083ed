/** What a pass over an ABTest sees, and what it decides. */
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import type { Reason } from '../../../crds/schema/conditions.ts';
import type { Deployment } from '../../../crds/schema/deployment.ts';
import type { ModelAlias } from '../../../crds/schema/model-alias.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { Judgement } from './judge.ts';
import type { Measurement, Weights } from './measurement.ts';

export type Observation = {
  readonly test: ABTest;
  readonly deployment: Deployment | undefined;
  /** An older test of the same Deployment that is not over. */
  readonly before: ABTest | undefined;
  /** Versions of the Deployment's Model. */
  readonly versions: readonly ModelVersion[];
  /** The alias the Deployment follows. */
  readonly alias: ModelAlias | undefined;
  /** Undefined while nothing was measured. */
  readonly measurement: Measurement | undefined;
};

export type Decision = {
  /** Name of the variant that won, control where all candidates harm, or inconclusive. */
  readonly winner: string;
  readonly words: string;
};

export type Plan =
  /** It cannot run as it is. */
  | {
      readonly is: 'refused';
      readonly reason: Reason;
      readonly message: string;
      readonly waits: boolean;
    }
  | { readonly is: 'waiting'; readonly message: string }
  | { readonly is: 'suspended' }
  /** Pods of the candidates come up; nothing is counted yet. */
  | { readonly is: 'starting'; readonly missing: readonly string[] }
  | {
      readonly is: 'running';
      readonly startTime: string;
      readonly judgement: Judgement | undefined;
      /** Candidates that get units no more. */
      readonly dropped: readonly string[];
      /** What each variant is to get from now on. */
      readonly weights: Weights;
      /** Why no units come through a gateway, where none do. */
      readonly cutOff?: string;
      readonly awaits: readonly string[];
    }
  | {
      readonly is: 'decided';
      readonly startTime: string;
      readonly judgement: Judgement | undefined;
      readonly decision: Decision;
      /** The version the alias is to name. */
      readonly promote: string | undefined;
    };
