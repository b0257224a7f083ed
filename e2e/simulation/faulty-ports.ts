import { ArtifactStoreUnavailable } from '../../operator/artifacts/artifact-errors.ts';
import type { ArtifactStore } from '../../operator/artifacts/artifact-store.ts';
import type { RunStore } from '../../operator/kinds/experiment/run-store.ts';
import { DatabaseDown } from '../../operator/kinds/testing/faulty-runs.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { Fate, Link } from './link.ts';

/** The run store as one process meets it: slow, at times down, at times silent about what it did. */
export const faultyRuns = (runs: RunStore, link: Link, plan: FaultPlan): RunStore =>
  through(runs, 'database', link, () =>
    fateOf(link, plan, () => new DatabaseDown('The database could not answer: refused')),
  );

/** The artifact store likewise. */
export const faultyArtifacts = (
  artifacts: ArtifactStore,
  link: Link,
  plan: FaultPlan,
): ArtifactStore =>
  through(artifacts, 'store', link, () =>
    fateOf(link, plan, () => new ArtifactStoreUnavailable('answer', new Error('refused'))),
  );

const fateOf = (link: Link, { ports }: FaultPlan, error: () => Error): Fate => {
  if (link.draws(ports.failure)) return { refusal: error() };
  return link.draws(ports.lostAnswer) ? { lost: error() } : {};
};

type Method = (...parameters: readonly unknown[]) => unknown;

/** Every call of a port goes over the link; a listing goes as a whole. */
const through = <T extends object>(port: T, name: string, link: Link, fate: () => Fate): T =>
  new Proxy(port, {
    get(target, method: string) {
      const call = Reflect.get(target, method) as Method;
      const what = `${name} ${method}`;
      if (method !== 'list')
        return (...parameters: readonly unknown[]) =>
          link.exchange(what, fate(), async () => call.apply(target, parameters as []));
      return (...parameters: readonly unknown[]) =>
        listed(() =>
          link.exchange(what, fate(), async () => {
            const all: unknown[] = [];
            for await (const each of call.apply(target, parameters as []) as AsyncIterable<unknown>)
              all.push(each);
            return all;
          }),
        );
    },
  });

async function* listed(read: () => Promise<readonly unknown[]>): AsyncIterable<unknown> {
  yield* await read();
}
