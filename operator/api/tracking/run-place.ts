import { namespacePrefix, runPrefix } from '../../artifacts/locations.ts';
import type { Run } from '../../kinds/experiment/run-store.ts';

/** Below `mlflow-artifacts:/` paths are keys of the store. */
export const ARTIFACT_SCHEME = 'mlflow-artifacts:/';

export const experimentArtifactUri = (namespace: string): string =>
  `${ARTIFACT_SCHEME}${namespacePrefix(namespace)}runs`;

export const runArtifactUri = ({ experiment, runId }: Run): string =>
  ARTIFACT_SCHEME + runPrefix(experiment.namespace, runId).replace(/\/$/, '');
