import type { ApiClient } from './api-client.ts';
import type { AppWatch } from './app-watch.ts';
import { APPS } from './bench-cluster.ts';

const nameOf = (index: number): string => `app-${String(index).padStart(5, '0')}`;

/** Apps by number, created, changed and deleted as fast as the API server takes it. */
export class Load {
  readonly #api: ApiClient;
  readonly #watch: AppWatch;
  readonly #indexes: readonly number[];

  constructor(api: ApiClient, watch: AppWatch, count: number) {
    this.#api = api;
    this.#watch = watch;
    this.#indexes = Array.from({ length: count }, (_, index) => index);
  }

  create(value: string): Promise<void> {
    return this.#api.each(this.#indexes, (index) => {
      this.#watch.expect(nameOf(index), { value });
      return this.#api.call('POST', APPS, {
        apiVersion: 'bench.mlops.pynomaly.io/v1',
        kind: 'App',
        metadata: { name: nameOf(index) },
        spec: { value, replicas: 1 },
      });
    });
  }

  change(value: string): Promise<void> {
    return this.#api.each(this.#indexes, (index) => {
      this.#watch.expect(nameOf(index), { value });
      return this.#api.call('PATCH', `${APPS}/${nameOf(index)}`, { spec: { value } });
    });
  }

  /** What was changed while nobody looked is expected from now on. */
  expectAll(value: string): void {
    for (const index of this.#indexes) this.#watch.expect(nameOf(index), { value });
  }

  delete(): Promise<void> {
    return this.#api.each(this.#indexes, (index) => {
      this.#watch.expect(nameOf(index), 'gone');
      return this.#api.call('DELETE', `${APPS}/${nameOf(index)}`);
    });
  }
}

const WARM_UP = 'warm-up';

/** Waits until an operator works: an App of its own comes and goes. */
export const warmUp = async (api: ApiClient, watch: AppWatch): Promise<void> => {
  watch.expect(WARM_UP, { value: 'warm' });
  await api.call('POST', APPS, {
    apiVersion: 'bench.mlops.pynomaly.io/v1',
    kind: 'App',
    metadata: { name: WARM_UP },
    spec: { value: 'warm', replicas: 1 },
  });
  const ready = await watch.reached(60_000);
  watch.expect(WARM_UP, 'gone');
  await api.call('DELETE', `${APPS}/${WARM_UP}`);
  const gone = await watch.reached(60_000);
  if (ready.left + gone.left > 0)
    throw new Error('The operator has not begun to work after 60 s; is something in its way?');
};
