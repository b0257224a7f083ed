/** What the metrics from our own request data are judged by. Pure. */
import type { Deployment } from '../../../../crds/schema/deployment.ts';
import type { OwnData, OwnDataQuestion } from '../own-data.ts';

export type OwnEvidence = {
  /** Undefined: nothing was read yet. */
  readonly data: OwnData | undefined;
  /** Versions, as they are logged. */
  readonly candidate: string;
  readonly stable: string;
  /** Where labels are sent to. */
  readonly path: string;
};

type Versions = { readonly candidate: string; readonly stable: string; readonly since: string };

/** What is to be read for the metrics of the analysis; undefined: none is of our own data. */
export const ownQuestion = (
  { metadata, spec }: Deployment,
  { candidate, stable, since }: Versions,
): OwnDataQuestion | undefined => {
  const metrics = spec.strategy?.canary?.analysis?.metrics ?? [];
  const error = metrics.find(({ name }) => name === 'prediction-error');
  const drift = metrics.find(({ name }) => name === 'drift');
  if (error === undefined && drift === undefined) return undefined;
  return {
    deployment: { namespace: metadata.namespace ?? '', name: metadata.name },
    ...{ since, versions: [stable, candidate] },
    errors: error && { output: error.output },
    drift: drift && { role: drift.side === 'inputs' ? 'input' : 'output' },
  };
};

export const ownEvidence = (
  { metadata }: Deployment,
  { candidate, stable }: Versions,
  data: OwnData | undefined,
): OwnEvidence => ({
  ...{ data, candidate, stable },
  path: `/api/v1/namespaces/${metadata.namespace ?? ''}/modeldeployments/${metadata.name}/labels`,
});
