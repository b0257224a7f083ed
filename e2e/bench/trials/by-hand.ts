import { HttpSearchEngine } from '../../../operator/hpo/http-search-engine.ts';
import type { Study } from '../../../operator/kinds/experiment/search-engine.ts';
import { LABELS, ANNOTATIONS } from '../../../crds/schema/names.ts';
import { systemClock } from '../../../operator/runtime/clock.ts';
import type { ApiClient } from '../operator/api-client.ts';
import { JobFinisher, valueOf, type SeenJob } from './job-finisher.ts';
import { JOBS } from './trial-stage.ts';

export type HandSearch = {
  readonly study: Study;
  readonly trials: number;
  readonly parallel: number;
  /** A Job of the operator, whose spec each of these has. */
  readonly like: SeenJob;
};

/**
 * The peer: one loop that does by hand what a search needs and nothing else. A Job that is complete is told
 * to the same Optuna service and deleted; the next parameters are asked for and the same Job created. It keeps
 * no rows and no status, and forgets everything when it dies.
 */
export const searchByHand = async (
  { api, serviceUrl }: { readonly api: ApiClient; readonly serviceUrl: string },
  search: HandSearch,
): Promise<JobFinisher> => {
  const engine = new HttpSearchEngine({ url: serviceUrl, clock: systemClock, random: Math.random });
  const ended: SeenJob[] = [];
  let wake = (): void => undefined;
  const finisher = new JobFinisher(
    api,
    async () => undefined,
    (job) => {
      ended.push(job);
      wake();
    },
  );
  await finisher.start();
  try {
    const { study, trials, parallel } = search;
    for (let asked = 0, told = 0; told < trials;) {
      while (asked < trials && asked - told < parallel)
        await startOne(api, engine, search, asked++);
      while (ended.length === 0) {
        finisher.check();
        await new Promise<void>((resolve) => (wake = resolve));
      }
      const job = ended.shift() as SeenJob;
      const number = Number(job.metadata.labels[LABELS.trial]);
      await engine.tell(study, number, { state: 'complete', values: [valueOf(job)] });
      await api.call('DELETE', `${JOBS}/${job.metadata.name}`, { propagationPolicy: 'Background' });
      told += 1;
    }
  } finally {
    await engine.close();
    await finisher.stop();
  }
  return finisher;
};

const startOne = async (
  api: ApiClient,
  engine: HttpSearchEngine,
  { study, like }: HandSearch,
  number: number,
): Promise<void> => {
  const drawn = await engine.ask(study, number);
  if (drawn.state !== 'drawn') throw new Error(`Trial ${number} was not drawn: ${drawn.state}`);
  const labels = { ...like.metadata.labels, [LABELS.trial]: String(number) };
  const {
    selector: _selector,
    template,
    ...spec
  } = like.spec as {
    readonly selector?: object;
    readonly template: { readonly spec: object };
  };
  await api.call('POST', JOBS, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `by-hand-${number}`,
      labels,
      annotations: { [ANNOTATIONS.parameters]: JSON.stringify(drawn.assignments) },
    },
    spec: { ...spec, template: { metadata: { labels }, spec: template.spec } },
  });
};
