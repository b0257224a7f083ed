/** What the candidate is judged by, asked of all who know something of it. */
import type { Deployment } from '../../../../crds/schema/deployment.ts';
import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import { parseDuration } from '../../../../serving-runtime/protocol/duration.ts';
import type { Pass } from '../../../runtime/reconciler.ts';
import type { Ports } from '../../ports.ts';
import type { Evidence } from '../analysis.ts';
import { stableOf } from '../canary-plan.ts';
import { canaryMemoryOf } from '../memory.ts';
import { SERVING_PORT } from '../names.ts';
import { isNamed, type Observation } from '../plan.ts';
import { podsOfTemplate, progressOf, type Fleet } from '../rollout.ts';
import { observeMetrics } from './observe-metrics.ts';
import { ownEvidence, ownQuestion } from './own-evidence.ts';

/** Its pods, what we log of them, and other systems. */
export type Witnesses = Pick<Ports, 'traffic' | 'ownData' | 'probe'>;

type Asked = Pick<Observation, 'deployment' | 'versions' | 'fleet' | 'candidate'>;

/** How often the metrics are looked at; undefined where there are none. */
export const analysisIntervalMs = ({ spec }: Deployment): number | undefined => {
  const analysis = spec.strategy?.canary?.analysis;
  return analysis && Math.max(1000, parseDuration(analysis.interval) ?? 0);
};

/**
 * What is known since the candidate's share was changed last, Jobs left out. All are asked once an
 * interval, outside of the pass, which takes what they have answered by now.
 */
export const observeEvidence = (
  asked: Asked,
  pass: Pass,
  { traffic, ownData, probe }: Witnesses,
): Evidence | undefined => {
  const { deployment, candidate } = asked;
  const everyMs = analysisIntervalMs(deployment);
  const memory = canaryMemoryOf(candidate.apps);
  const group = deployment.metadata.uid ?? '';
  if (everyMs === undefined || memory === undefined) {
    for (const witness of [traffic, ownData, probe]) witness.forget(group);
    return undefined;
  }
  const stable = stableOf(asked);
  const coming = asked.versions.find(isNamed(progressOf(candidate).current));
  const compared = bothOf(stable, coming, memory.judgedFrom);
  const question = compared && ownQuestion(deployment, compared);
  const subject = { deployment, memory, stable, candidate: isUp(candidate) ? coming : undefined };
  const { measured, ask } = observeMetrics(subject, pass, probe);
  const turn = Math.floor(pass.now.getTime() / everyMs);
  pass.background(`measure ${memory.judgedFrom} ${turn}`, async (signal) => {
    await Promise.all([
      traffic.measure(group, addressesOf(candidate), signal),
      question && ownData.read(group, question, signal),
      ask(signal),
    ]);
  });
  return {
    window: traffic.window(group, new Date(memory.judgedFrom)),
    own: compared && question && ownEvidence(deployment, compared, ownData.latest(group, question)),
    measured,
  };
};

/** The versions whose answers are compared; undefined while either is not known. */
const bothOf = (
  stable: ModelVersion | undefined,
  candidate: ModelVersion | undefined,
  since: string,
) =>
  stable && candidate
    ? { since, stable: stable.spec.version, candidate: candidate.spec.version }
    : undefined;

const isUp = (candidate: Fleet): boolean => {
  const { complete, available } = progressOf(candidate);
  return complete && available > 0;
};

const addressesOf = (fleet: Fleet) =>
  podsOfTemplate(fleet).flatMap(({ metadata, status }) =>
    status?.podIP === undefined
      ? []
      : [{ uid: metadata.uid ?? '', name: metadata.name, ip: status.podIP, port: SERVING_PORT }],
  );
