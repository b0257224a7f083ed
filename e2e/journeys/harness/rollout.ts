/**
 * A Deployment whose versions come and go, in sentences:
 * `const times = givenRollout(tenant, 'times')`, then `times.when.…` for what somebody does and
 * `times.then.…` for what becomes of it.
 */
import { expect } from '@jest/globals';

import { exactInterval } from '../../../operator/statistics/binomial-bounds.ts';
import type { Answers } from './gateway-load.ts';
import { at, listAt, textAt, type Json } from './kubectl.ts';
import { modelAlias } from './manifests.ts';
import type { Condition, Tenant } from './tenant.ts';

/** So seldom is a share outside its bounds by chance alone. */
const CHANCE = 1e-6;
const KIND = 'modeldeployment';

export type Rollout = {
  readonly name: string;
  readonly when: RolloutActions;
  readonly then: RolloutFacts;
};

/** `alias` of Model `times` is what it follows. */
export const givenRollout = (tenant: Tenant, name: string, alias = 'champion'): Rollout => ({
  name,
  when: new RolloutActions(tenant, name, alias),
  then: new RolloutFacts(tenant, name),
});

class RolloutActions {
  readonly #tenant: Tenant;
  readonly #name: string;
  readonly #alias: string;

  constructor(tenant: Tenant, name: string, alias: string) {
    this.#tenant = tenant;
    this.#name = name;
    this.#alias = alias;
  }

  wants(version: string): Promise<void> {
    return this.#tenant.apply(modelAlias('times', this.#alias, version));
  }

  isScaledTo(replicas: number): Promise<string> {
    return this.#tenant.kubectl('scale', KIND, this.#name, `--replicas=${replicas}`);
  }

  isPromoted(revision: string): Promise<string> {
    return this.#annotates(`mlops.pynomaly.io/promote=${revision}`);
  }

  isAborted(revision: string): Promise<string> {
    return this.#annotates(`mlops.pynomaly.io/abort=${revision}`);
  }

  #annotates(annotation: string): Promise<string> {
    return this.#tenant.kubectl('annotate', KIND, this.#name, '--overwrite', annotation);
  }
}

class RolloutFacts {
  readonly #tenant: Tenant;
  readonly #name: string;

  constructor(tenant: Tenant, name: string) {
    this.#tenant = tenant;
    this.#name = name;
  }

  serves(seconds?: number): Promise<Condition> {
    return this.#tenant.awaits(KIND, this.#name, { type: 'Ready', status: 'True' }, seconds);
  }

  /** The candidate's share as the status has it. */
  weightIs(weight: number, seconds = 120): Promise<true> {
    return this.#tenant.until(`a share of ${weight} %`, seconds, async () => {
      const first = listAt(await this.#object(), 'status.weights')[0];
      return at(first, 'name') === 'candidate' && at(first, 'weight') === weight ? true : undefined;
    });
  }

  /** Counted from 0; as many as there are steps while the stable pods change. */
  stepIs(index: number, seconds = 120): Promise<true> {
    return this.#tenant.until(`step ${index} of ${this.#name}`, seconds, async () =>
      at(await this.#object(), 'status.currentStepIndex') === index ? true : undefined,
    );
  }

  /** Waits for somebody to go on from this share; gives the revision that the annotation must name. */
  async pausesAt(weight: number): Promise<string> {
    await this.weightIs(weight);
    await this.#tenant.awaits(KIND, this.#name, { type: 'Ready', reason: 'RolloutPaused' });
    return this.revision();
  }

  async revision(): Promise<string> {
    return textAt(await this.#object(), 'status.revision');
  }

  /** What is said once this version was taken out again; the one before it may have been, too. */
  rollsBack(version: string, seconds = 180): Promise<string> {
    return this.#tenant.until(`version ${version} to be taken out`, seconds, async () => {
      const found = await this.#tenant.condition(KIND, this.#name, 'Ready');
      const words = [`Version ${version} could not be served`, `Version ${version} was taken out`];
      const isIt = words.some((each) => found?.message.startsWith(each) === true);
      return isIt && found?.reason === 'RolledBack' ? found.message : undefined;
    });
  }

  candidateIsGone(seconds = 90): Promise<true> {
    return this.#tenant.until('the candidate to be gone', seconds, async () =>
      (await this.#tenant.get('deployment.apps', `${this.#name}-candidate`)) === undefined
        ? true
        : undefined,
    );
  }

  describe(): Promise<string> {
    return this.#tenant.kubectl('describe', KIND, this.#name);
  }

  #object(): Promise<Json | undefined> {
    return this.#tenant.get(KIND, this.#name);
  }
}

/** The share of `of` among answers is what its weight says, as far as chance allows. */
export const expectShare = (
  { total, byVariant }: Pick<Answers, 'total' | 'byVariant'>,
  weight: number,
  of = 'candidate',
): void => {
  const { lower, upper } = exactInterval({ successes: byVariant[of] ?? 0, units: total }, CHANCE);
  expect(lower).toBeLessThanOrEqual(weight / 100);
  expect(upper).toBeGreaterThanOrEqual(weight / 100);
};
