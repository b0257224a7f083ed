import { experiment, type Experiment } from '../../../../crds/schema/experiment.ts';
import { LABELS } from '../../../../crds/schema/names.ts';
import { memoryArtifactStore } from '../../../artifacts/memory-artifact-store.ts';
import { JOB, POD } from '../../../runtime/kubernetes-types.ts';
import { MemoryPodLogs } from '../../../runtime/memory-pod-logs.ts';
import { ownType } from '../../../runtime/own-type.ts';
import type { Job } from '../../kubernetes-objects.ts';
import { anExperiment } from '../../testing/an-experiment.ts';
import { someDefaults } from '../../testing/builders.ts';
import { FaultyRuns } from '../../testing/faulty-runs.ts';
import { key, World } from '../../testing/world.ts';
import { MemorySearchEngine } from '../memory-search-engine.ts';
import { MemoryTrialStore } from '../memory-trial-store.ts';
import { experimentReconciler } from '../reconcile.ts';
import type { Faults } from './mortal.ts';

export const EXPERIMENT = ownType(experiment);
export const NAME = key('digits-train');

/** Searches lr in 0.1, 0.2 … 0.9 for the highest accuracy. */
export const aSearch = (spec: Partial<Experiment['spec']> = {}): Experiment =>
  anExperiment({
    objective: { type: 'maximize', objectiveMetricName: 'accuracy' },
    algorithm: {
      algorithmName: 'random',
      algorithmSettings: [{ name: 'seed', value: '7' }],
    },
    parameters: [
      {
        name: 'lr',
        parameterType: 'double',
        feasibleSpace: { min: '0.1', max: '0.9', step: '0.1' },
      },
    ],
    parallelTrialCount: 2,
    maxTrialCount: 5,
    ...spec,
  });

type Ending = { readonly type: 'Complete' | 'Failed'; readonly message?: string };

/** A cluster in memory in which searches run, and what stands around it. */
export class SearchWorld {
  readonly runs = new FaultyRuns();
  readonly trials = new MemoryTrialStore(this.runs);
  readonly search = new MemorySearchEngine();
  readonly logs = new MemoryPodLogs();
  readonly artifacts = memoryArtifactStore();
  readonly world: World;
  /** Names of Jobs in the order of their creation. */
  readonly started: string[] = [];

  constructor(faults?: Faults) {
    const alive = <T extends object>(port: T): T => faults?.around(port) ?? port;
    this.world = new World([
      experimentReconciler({
        runs: alive(this.runs),
        trials: alive(this.trials),
        search: alive(this.search),
        logs: alive(this.logs),
        artifacts: alive(this.artifacts),
        children: someDefaults(),
      }),
    ]);
    const create = this.world.cluster.create.bind(this.world.cluster);
    this.world.cluster.create = async (type, object, options) => {
      const created = await create(type, object, options);
      if (type.plural === 'jobs') this.started.push(object.metadata.name);
      return created as never;
    };
    this.world.through = (cluster) => alive(cluster);
  }

  create(spec: Partial<Experiment['spec']> = {}): Promise<Experiment> {
    return this.world.put<Experiment>(EXPERIMENT, aSearch(spec));
  }

  pass(): Promise<{ readonly requeueAfterMs?: number }> {
    return this.world.reconcile(EXPERIMENT, NAME);
  }

  /** Seconds go by between these passes. */
  async passes(count: number): Promise<void> {
    for (let pass = 0; pass < count; pass += 1) {
      this.world.advance(2_000);
      await this.pass();
    }
  }

  ready(name = 'Ready'): Promise<string | undefined> {
    return this.world.condition(EXPERIMENT, NAME, name);
  }

  async status(): Promise<Experiment['status']> {
    return (await this.world.get<Experiment>(EXPERIMENT, NAME))?.status;
  }

  async uid(): Promise<string> {
    return (await this.world.get(EXPERIMENT, NAME))?.metadata.uid ?? '';
  }

  async rows() {
    return (await this.trials.list(await this.uid())).trials;
  }

  /** The training of one Job says what it reached and ends. */
  async train(
    name: string,
    metrics: Readonly<Record<string, number>>,
    ending: Ending = { type: 'Complete' },
  ): Promise<void> {
    const job = await this.job(name);
    await this.runs.log(job.metadata.labels?.[LABELS.runId] ?? '', metrics);
    await this.end(name, ending);
  }

  async end(name: string, { type, message = '' }: Ending): Promise<void> {
    const at = this.world.now().toISOString();
    await this.world.change(JOB, key(name), '/status', {
      completionTime: at,
      conditions: [{ type, status: 'True', message, lastTransitionTime: at }],
    });
  }

  /** The Job's pod, named `<job>-x`, is or becomes so. */
  async pod(jobName: string, status: object): Promise<void> {
    const job = await this.job(jobName);
    const name = `${jobName}-x`;
    if ((await this.world.get(POD, key(name))) !== undefined) {
      return this.world.change(POD, key(name), '/status', status);
    }
    await this.world.put(POD, {
      metadata: {
        name,
        namespace: 'demo',
        labels: { [LABELS.experiment]: 'digits-train' },
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'Job', name: jobName, uid: job.metadata.uid },
        ],
      },
      status,
    });
  }

  async job(name: string): Promise<Job> {
    const job = await this.world.get<Job>(JOB, key(name));
    if (job === undefined) throw new Error(`There is no Job ${name}.`);
    return job;
  }

  /** Every Job that runs logs accuracy = 1 - |lr - 0.5|, leaves a model, and is complete. */
  async trainAll(): Promise<void> {
    for (const job of await this.world.list<Job>(JOB)) {
      if (job.status !== undefined) continue;
      const runId = job.metadata.labels?.[LABELS.runId] ?? '';
      const lr = Number((await this.runs.getRun(runId))?.params['lr']);
      await this.artifacts.put(`demo/runs/${runId}/artifacts/model.onnx`, bytes(), {
        maxBytes: 100,
      });
      await this.train(job.metadata.name, { accuracy: 1 - Math.abs(lr - 0.5) });
    }
  }
}

async function* bytes(): AsyncIterable<Uint8Array> {
  yield Buffer.from('model');
}
