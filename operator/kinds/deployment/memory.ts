/** What children remember for us, so that nothing hangs on our own status. */
import type { KubernetesObject } from '../../runtime/resource-type.ts';
import { MEMORY } from './names.ts';
import type { FailedAttempt } from './rollout.ts';

/** What the stable pods' apps Deployment remembers. */
export type Memory = {
  /** Name of the ModelVersion that last served all replicas, as a label value. */
  readonly lastGood: string | undefined;
  /** Those that did before it, the latest first. */
  readonly served: readonly string[];
  readonly failed: FailedAttempt | undefined;
  readonly askedAgain: string | undefined;
  readonly replicas: number | undefined;
};

/**
 * What the budget for disruptions remembers: each change of an annotation of an apps Deployment is a new
 * generation, which is not observed for a while.
 */
export type RouteMemory = {
  /** Hash of the VirtualService as last written. */
  readonly route: string | undefined;
  /** By variant, since when it gets no requests any more; RFC 3339. */
  readonly leaving: Readonly<Record<string, string>>;
};

/** How far a candidate has come. */
export type CanaryMemory = {
  /** Name of the attempt it belongs to. */
  readonly attempt: string;
  /** Index of the step that is being done; as many as there are steps: it takes over. */
  readonly step: number;
  /** When that step began; RFC 3339. */
  readonly since: string;
  /** From when on its answers are judged: its share of the requests changed then; RFC 3339. */
  readonly judgedFrom: string;
};

export const annotationsOf = (memory: Memory): Readonly<Record<string, string>> => {
  const { lastGood, served, failed, askedAgain, replicas } = memory;
  return present({
    [MEMORY.lastGood]: lastGood,
    [MEMORY.served]: served.length === 0 ? undefined : JSON.stringify(served),
    [MEMORY.failed]: failed && JSON.stringify(failed),
    [MEMORY.askedAgain]: askedAgain,
    [MEMORY.replicas]: replicas === undefined ? undefined : String(replicas),
  });
};

export const routeAnnotations = ({
  route,
  leaving,
}: RouteMemory): Readonly<Record<string, string>> =>
  present({
    [MEMORY.route]: route,
    [MEMORY.leaving]: Object.keys(leaving).length === 0 ? undefined : JSON.stringify(leaving),
  });

const present = (
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

type Remembering = Pick<KubernetesObject, 'metadata'> | undefined;

const annotation = (apps: Remembering, name: string): string | undefined =>
  apps?.metadata.annotations?.[name];

/** Undefined also where somebody edited it: what cannot be read was not remembered. */
const parsed = (text: string | undefined): unknown => {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

export const lastGoodOf = (apps: Remembering): string | undefined =>
  annotation(apps, MEMORY.lastGood);

export const askedAgainOf = (apps: Remembering): string | undefined =>
  annotation(apps, MEMORY.askedAgain);

export const routeOf = (budget: Remembering): string | undefined =>
  annotation(budget, MEMORY.route);

/** By variant, since when it leaves. */
export const leavingOf = (budget: Remembering): ReadonlyMap<string, string> => {
  const found = parsed(annotation(budget, MEMORY.leaving)) ?? {};
  return new Map(
    Object.entries(found).filter(([, since]) => Number.isFinite(Date.parse(String(since)))),
  );
};

export const failedAttemptOf = (apps: Remembering): FailedAttempt | undefined =>
  parsed(annotation(apps, MEMORY.failed)) as FailedAttempt | undefined;

export const servedOf = (apps: Remembering): readonly string[] => {
  const found = parsed(annotation(apps, MEMORY.served));
  return Array.isArray(found) ? found.filter((name) => typeof name === 'string') : [];
};

export const canaryMemoryOf = (apps: Remembering): CanaryMemory | undefined => {
  const found = parsed(annotation(apps, MEMORY.canary)) as Partial<CanaryMemory> | undefined;
  const { attempt, step, since, judgedFrom } = found ?? {};
  const isWhole =
    typeof attempt === 'string' &&
    Number.isSafeInteger(step) &&
    [since, judgedFrom].every((time) => Number.isFinite(Date.parse(String(time))));
  return isWhole ? (found as CanaryMemory) : undefined;
};
