import { memoryMetricProbe } from '../../probing/memory-metric-probe.ts';
import { memoryOwnData } from './own-data.ts';
import { deployment, type Deployment } from '../../../crds/schema/deployment.ts';
import { modelAlias } from '../../../crds/schema/model-alias.ts';
import { modelVersion } from '../../../crds/schema/model-version.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import { ownType } from '../../runtime/own-type.ts';
import { memoryTrafficMeter } from '../../scraping/memory-traffic-meter.ts';
import { deploymentReconciler } from '../deployment/reconcile.ts';
import type { Job } from '../kubernetes-objects.ts';
import { aDeployment } from './a-deployment.ts';
import { aReadyVersion, conditionOf, someDefaults } from './builders.ts';
import { key, World } from './world.ts';

export const DEPLOYMENT = ownType(deployment);
export const MODEL_VERSION = ownType(modelVersion);
export const MODEL_ALIAS = ownType(modelAlias);

type Gates = NonNullable<NonNullable<Deployment['spec']['promotion']>['gates']>;

export const A_TEST = {
  job: { spec: { template: { spec: { containers: [{ name: 'test', image: 'tester:1' }] } } } },
};

/** Deployments `staging` and `production` of Model `digits`, of which only the latter is reconciled. */
export class Environments {
  readonly world = new World([
    deploymentReconciler({
      ...{
        children: someDefaults(),
        traffic: memoryTrafficMeter(),
        ownData: memoryOwnData(),
        probe: memoryMetricProbe(() => 0),
      },
    }),
  ]);

  async start(gates?: Gates): Promise<this> {
    await this.world.put(MODEL_VERSION, aReadyVersion('1.0.0'));
    await this.world.put(MODEL_VERSION, aReadyVersion('1.1.0'));
    await this.put('staging', { predictor: following('staging') });
    await this.put('production', {
      predictor: following('production'),
      promotion: { from: { name: 'staging' }, ...(gates === undefined ? {} : { gates }) },
    });
    return this;
  }

  put(name: string, spec: Parameters<typeof aDeployment>[0]): Promise<Deployment> {
    return this.world.put<Deployment>(
      DEPLOYMENT,
      aDeployment(spec, { name, uid: `uid-of-${name}` }),
    );
  }

  /** What the pass over staging would say: it serves that version since now. */
  async stagingServes(version: string): Promise<void> {
    await this.#stagingIs(version, conditionOf('Ready', 'True', 'Ready'));
  }

  async stagingFails(reason: string, message: string, version?: string): Promise<void> {
    await this.#stagingIs(version, conditionOf('Ready', 'False', reason, message));
  }

  async #stagingIs(version: string | undefined, ready: object): Promise<void> {
    const { generation } = (await this.deployment('staging')).metadata;
    const lastTransitionTime = this.world.now().toISOString().replace('.000Z', 'Z');
    await this.world.change(DEPLOYMENT, key('staging'), '/status', {
      ...(version === undefined ? {} : { servedVersion: version }),
      conditions: [{ ...ready, observedGeneration: generation, lastTransitionTime }],
    });
  }

  pass(): Promise<{ readonly requeueAfterMs?: number }> {
    return this.world.reconcile(DEPLOYMENT, key('production'));
  }

  async deployment(name = 'production'): Promise<Deployment> {
    const found = await this.world.get<Deployment>(DEPLOYMENT, key(name));
    if (found === undefined) throw new Error(`no Deployment ${name}`);
    return found;
  }

  async alias(): Promise<string | undefined> {
    const found = await this.world.get<{ spec: { version: string } } & Deployment>(
      MODEL_ALIAS,
      key('digits-production'),
    );
    return found?.spec.version;
  }

  promoted(): Promise<string | undefined> {
    return this.world.condition(DEPLOYMENT, key('production'), 'Promoted');
  }

  async annotate(annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.world.change(DEPLOYMENT, key('production'), '/metadata/annotations', annotations);
  }

  jobs(): Promise<readonly Job[]> {
    return this.world.list<Job>(JOB);
  }

  /** What the Job controller would say. */
  async jobEnds(name: string, type: 'Complete' | 'Failed'): Promise<void> {
    await this.world.change(JOB, key(name), '/status', {
      conditions: [{ type, status: 'True' }],
    });
  }
}

export const following = (
  alias: string,
): { readonly model: Deployment['spec']['predictor']['model'] } => ({
  model: { modelRef: { name: 'digits' }, alias },
});
