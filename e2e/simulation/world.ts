import { memoryArtifactStore } from '../../operator/artifacts/memory-artifact-store.ts';
import { MemoryRunStore } from '../../operator/kinds/experiment/memory-run-store.ts';
import type { Run } from '../../operator/kinds/experiment/run-store.ts';
import { kinds } from '../../crds/schema/all.ts';
import type { KubernetesObject } from '../../operator/runtime/resource-type.ts';
import { EVENT, LEASE, POD } from '../../operator/runtime/kubernetes-types.ts';
import { startDeploymentController } from './actors/deployment-controller.ts';
import { startGarbageCollector } from './actors/garbage-collector.ts';
import { startJobController } from './actors/job-controller.ts';
import { startKubelet } from './actors/kubelet.ts';
import { SimulatedApiServer, type StoredChange } from './api-server.ts';
import { endState } from './end-state.ts';
import type { FaultPlan, Incident } from './fault-plan.ts';
import { isOf, watchmen, writerFault, type Told } from './invariants.ts';
import { programsOf } from './programs.ts';
import { Replica } from './replica.ts';
import { restInvariants, type Leader, type Rest } from './rest.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulationClock } from './simulation-clock.ts';
import type { Story } from './stories.ts';
import type { Trace } from './trace.ts';
import { EXPERIMENT, LEASE_KEY } from './types.ts';
import { User } from './user.ts';

export type Violation = { readonly invariant: string; readonly words: string };

export type WorldOptions = {
  readonly clock: SimulationClock;
  readonly random: SeededRandom;
  /** The same in all runs of the same stories. */
  readonly habits: SeededRandom;
  readonly stories: readonly Story[];
  readonly plan: FaultPlan;
  readonly trace: Trace;
};

/** Longer than any wait of the operator's own: what happens after such a silence, happens never. */
const QUIET_MS = 100_000;
const LONGEST_MS = 40 * 60_000;

/** The operator's replicas, the cluster around them and the users, on one clock, with faults as planned. */
export class World {
  readonly #options: WorldOptions;
  readonly #server: SimulatedApiServer;
  readonly #runs = new MemoryRunStore();
  readonly #artifacts;
  readonly #replicas: Replica[] = [];
  readonly #users: User[] = [];
  readonly #experiments = new Set<string>();
  #storiesLeft: number;
  #changedAt = 0;
  violation: Violation | undefined;

  constructor(options: WorldOptions) {
    this.#options = options;
    const { clock, random, habits, trace, stories, plan } = options;
    this.#server = new SimulatedApiServer(clock);
    this.#artifacts = memoryArtifactStore(() => new Date(clock.now()));
    this.#storiesLeft = stories.length;
    this.#watchOver();
    this.#startActors();
    for (let index = 0; index < plan.replicas; index++)
      this.#replicas.push(new Replica(this.#outside(), random.fork('replicas'), index));
    for (const each of plan.incidents) clock.setTimeout(() => this.#befall(each), each.at);
    for (const story of stories) this.#tell(story, habits.fork(story.name));
    trace.add('world', `faults until ${plan.until} ms: ${JSON.stringify(plan)}`);
  }

  /** Lets time pass until nothing happens any more, or something is wrong. */
  async live(): Promise<void> {
    const { clock, plan } = this.#options;
    await clock.advanceTo(LONGEST_MS, () => {
      if (this.violation !== undefined) return true;
      if (this.#storiesLeft > 0 || clock.monotonic() < plan.until) return false;
      return clock.monotonic() - Math.max(this.#changedAt, plan.until) > QUIET_MS;
    });
    const waits = this.#users.flatMap(({ waitsFor }) => waitsFor ?? []);
    if (waits.length > 0)
      this.#violate('users get what they ask for', `in vain: ${waits.join('; ')}`);
    else if (clock.monotonic() >= LONGEST_MS)
      this.#violate(
        'the world comes to rest',
        'there was a write at least every 100 s till the end',
      );
  }

  /** Looks at the world at rest. @returns how it ended, for other runs to be compared with */
  async judge(cleanEnd: string | undefined): Promise<string> {
    const runs = await this.#allRuns();
    const files: string[] = [];
    for await (const { key } of this.#artifacts.list('')) files.push(key);
    const objects: Rest['objects'] = (type) => this.#server.live(type);
    const ambiguous = this.#options.stories.flatMap((each) =>
      each.ambiguous === undefined ? [] : [each.name],
    );
    const end = endState({ objects, runs, files, ambiguous });
    const rest = { objects, runs, files, leaders: this.#leaders(), end, cleanEnd: cleanEnd ?? end };
    for (const { name, faults } of restInvariants) {
      const [first] = faults(rest);
      if (first !== undefined) this.#violate(name, first);
    }
    return end;
  }

  /** Ends every process, so that nothing of this world runs on. */
  end(): void {
    for (const { process } of this.#replicas) process.kill();
  }

  #leaders(): readonly Leader[] {
    return this.#replicas
      .filter(({ operator, process }) => process.alive && operator.leads)
      .map(({ operator, process }) => ({
        identity: process.identity,
        debug: operator.debug(),
        cached: (type) =>
          operator.currentObjects(kinds.find(({ plural }) => plural === type.plural)?.kind ?? ''),
      }));
  }

  async #allRuns(): Promise<readonly Run[]> {
    const listing = { experimentUids: [...this.#experiments], view: 'all', limit: 1000 } as const;
    return (await this.#runs.listRuns(listing)).runs;
  }

  #violate(invariant: string, words: string): void {
    if (this.violation !== undefined) return;
    this.#options.trace.add('VIOLATION', `${invariant}: ${words}`);
    this.violation = { invariant, words };
  }

  readonly #failed = (error: unknown): void =>
    this.#violate('nothing throws', error instanceof Error ? String(error.stack) : String(error));

  #watchOver(): void {
    const { clock, trace } = this.#options;
    const all = watchmen.map((each) => each());
    this.#server.onChange((change) => {
      if (isOf(change, LEASE)) trace.add('server', words(change));
      else this.#changedAt = clock.monotonic();
      if (isOf(change, EXPERIMENT)) this.#experiments.add(change.object.metadata.uid ?? '');
      if (!isOf(change, LEASE)) trace.add('server', words(change));
      for (const { name, see } of all) {
        const fault = see(change);
        if (fault !== undefined) this.#violate(name, fault);
      }
    });
  }

  #startActors(): void {
    const { clock, random, trace, stories } = this.#options;
    const actors = { clock, trace, server: this.#server, failed: this.#failed };
    const world = (name: string) => ({ ...actors, random: random.fork(name) });
    startJobController(world('jobs'));
    startDeploymentController(world('deployments'));
    startGarbageCollector(world('garbage'));
    const images = {
      trainings: Object.assign({}, ...stories.map(({ trainings }) => trainings)) as NonNullable<
        Story['trainings']
      >,
      unservable: stories.flatMap(({ unservable = [] }) => unservable),
    };
    const lives = (pod: KubernetesObject): boolean => {
      const now = this.#server.one(POD, pod.metadata.namespace ?? '', pod.metadata.name);
      return (
        now?.metadata.uid === pod.metadata.uid && now?.metadata.deletionTimestamp === undefined
      );
    };
    const ports = { clock, runs: this.#runs, artifacts: this.#artifacts, lives };
    startKubelet(world('kubelet'), programsOf(images, ports));
  }

  #outside(): ConstructorParameters<typeof Replica>[0] {
    const { clock, plan, trace } = this.#options;
    return {
      clock,
      plan,
      trace,
      server: this.#server,
      runs: this.#runs,
      artifacts: this.#artifacts,
      failed: this.#failed,
      wrote: (identity, verb, { plural }, key) => {
        const lease = this.#server.one<Told>(LEASE, LEASE_KEY.namespace, LEASE_KEY.name);
        const holder = lease?.spec?.['holderIdentity'] as string | undefined;
        const what = `${verb} ${plural} ${plural === EVENT.plural ? '' : key.name}`;
        const fault = writerFault(holder, { identity, what, plural });
        if (fault !== undefined) this.#violate('only the leader writes', fault);
      },
    };
  }

  #tell(story: Story, random: SeededRandom): void {
    const { clock, trace } = this.#options;
    const user = new User({
      clock,
      trace,
      random: random.fork('user'),
      server: this.#server,
      artifacts: this.#artifacts,
    });
    this.#users.push(user);
    clock.setTimeout(
      () => {
        story
          .happens(user)
          .then(() => (this.#storiesLeft -= 1))
          .catch(this.#failed);
      },
      random.int(0, 10_000),
    );
  }

  #befall(incident: Incident): void {
    this.#options.trace.add('world', JSON.stringify(incident));
    if (incident.is === 'compaction') return this.#server.compact();
    const replica = this.#replicas[incident.replica];
    if (replica === undefined) return;
    switch (incident.is) {
      case 'crash':
        return replica.crash();
      case 'restart':
        return replica.restart();
      case 'crash at a call':
        return replica.link.dieAt(incident.calls, incident.after);
      case 'pause':
        return replica.process.pause(incident.forMs);
      case 'partition':
        return replica.link.partition(incident.forMs);
      case 'wrong clock': {
        const { process } = replica;
        process.setWrongBy(incident.byMs);
        this.#options.clock.setTimeout(() => process.setWrongBy(0), incident.forMs);
      }
    }
  }
}

const words = ({ what, object, version }: StoredChange): string => {
  const { kind, metadata } = object;
  const [writer] = metadata.managedFields ?? [];
  return `${what} ${kind} ${kind === 'Event' ? '' : metadata.name} @${version} by ${writer?.manager ?? ''}`;
};
