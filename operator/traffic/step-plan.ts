/** What the steps of a canary ask for; their names and meaning are those of Argo Rollouts. */

export type HeaderMatch = {
  readonly headerName: string;
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
  readonly regex?: string | undefined;
};

export type CanaryScale = {
  readonly replicas?: number | undefined;
  /** Percent of the stable replicas. */
  readonly weight?: number | undefined;
  readonly matchTrafficWeight?: boolean | undefined;
};

/** Percent of the requests that the candidate gets a copy of, all where it is left out; 0 takes the route away. */
export type MirrorRoute = { readonly name: string; readonly percentage?: number | undefined };

/** Requests that the candidate gets whatever its weight; without matches the route goes away. */
export type HeaderRoute = {
  readonly name: string;
  readonly match?: readonly HeaderMatch[] | undefined;
};

/** A step has one of the keys. */
export type Step = {
  readonly pause?: object | undefined;
  readonly analysis?: object | undefined;
  readonly setWeight?: number | undefined;
  readonly setCanaryScale?: CanaryScale | undefined;
  readonly setMirrorRoute?: MirrorRoute | undefined;
  readonly setHeaderRoute?: HeaderRoute | undefined;
};

/** Routes beside the weights, by name, in the order they were first set in. */
export type ExtraRoutes = {
  readonly mirrors: readonly MirrorRoute[];
  readonly headers: readonly HeaderRoute[];
};

/**
 * Percent of the requests the candidate gets while step `index` (from 0) is at work: that of the
 * last setWeight at or before it, and 0 before the first; 100 after the last step.
 */
export const weightAt = (steps: readonly Step[], index: number): number =>
  index >= steps.length
    ? 100
    : (upTo(steps, index).findLast(({ setWeight }) => setWeight !== undefined)?.setWeight ?? 0);

/** Mirror and header routes in force while step `index` is at work; none after the last step. */
export const routesAt = (steps: readonly Step[], index: number): ExtraRoutes => {
  const mirrors = new Map<string, MirrorRoute>();
  const headers = new Map<string, HeaderRoute>();
  for (const step of index >= steps.length ? [] : upTo(steps, index)) {
    const { setMirrorRoute: mirror, setHeaderRoute: header } = step;
    if (mirror !== undefined) setOrRemove(mirrors, mirror, mirror.percentage !== 0);
    if (header !== undefined) setOrRemove(headers, header, (header.match ?? []).length > 0);
  }
  return { mirrors: [...mirrors.values()], headers: [...headers.values()] };
};

/**
 * Pods the candidate needs while step `index` is at work beside `stableReplicas` pods:
 * ceil(stableReplicas × weight / 100), with the weight of the requests or that of a setCanaryScale
 * in force, at most the stable ones; or the replicas of a setCanaryScale, however many. One in
 * force is the last at or before the step, unless it says matchTrafficWeight; none is after the
 * last step. Where requests go by weight, mirror or header there is at least one.
 * After DesiredReplicaCountsForCanary and UseSetCanaryScale of Argo Rollouts
 * (utils/replicaset/canary.go), which divides first, though: its float64 makes 7 % of 100 pods 8.
 */
export const replicasAt = (
  steps: readonly Step[],
  index: number,
  stableReplicas: number,
): number => {
  const weight = weightAt(steps, index);
  const { mirrors, headers } = routesAt(steps, index);
  const least = weight > 0 || mirrors.length > 0 || headers.length > 0 ? 1 : 0;
  const scale = scaleAt(steps, index);
  if (scale?.replicas !== undefined) return Math.max(least, scale.replicas);
  const wanted = Math.ceil((stableReplicas * (scale?.weight ?? weight)) / 100);
  return Math.max(least, Math.min(wanted, stableReplicas));
};

const scaleAt = (steps: readonly Step[], index: number): CanaryScale | undefined => {
  if (index >= steps.length) return undefined;
  const last = upTo(steps, index).findLast(
    ({ setCanaryScale }) => setCanaryScale !== undefined,
  )?.setCanaryScale;
  return last?.matchTrafficWeight === true ? undefined : last;
};

const upTo = (steps: readonly Step[], index: number): readonly Step[] =>
  steps.slice(0, Math.max(0, index + 1));

const setOrRemove = <Route extends { readonly name: string }>(
  routes: Map<string, Route>,
  route: Route,
  inForce: boolean,
): void => {
  if (inForce) routes.set(route.name, route);
  else routes.delete(route.name);
};
