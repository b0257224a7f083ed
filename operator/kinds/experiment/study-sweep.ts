import { experiment as definition, type Experiment } from '../../../crds/schema/experiment.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import type { SearchEngine } from './search-engine.ts';

const EXPERIMENT = ownType(definition);
const INTERVAL_MS = 3_600_000;
/** Further ones wait for the next sweep, so that no pass is held up for long. */
const MOST_AT_ONCE = 100;
/** <namespace>/<name>/<uid> of an Experiment; a user's own studies have other names. */
const OURS = /^([a-z0-9-]+)\/([a-z0-9.-]+)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * Forgets studies whose Experiment is gone: of one that was deleted while the engine was away, longer than
 * its deletion waits for it. Runs beside a pass, so by the leader only, once an hour at most. What is gone
 * is asked of the API server, as the cache may not show the namespaces of another replica.
 */
export class StudySweep {
  #next = 0;

  /** Never throws: a sweep that failed is made again an hour later. */
  async run(pass: Pass, search: SearchEngine): Promise<void> {
    if (pass.now.getTime() < this.#next) return;
    this.#next = pass.now.getTime() + INTERVAL_MS;
    try {
      await sweepStudies(pass, search);
    } catch (error) {
      pass.log.warn(
        { err: error },
        'studies of deleted Experiments are looked for in an hour again',
      );
    }
  }
}

const sweepStudies = async (pass: Pass, search: SearchEngine): Promise<void> => {
  const cached = new Set(
    pass.cachedEverywhere<Experiment>(EXPERIMENT).map(({ metadata }) => metadata.uid),
  );
  const unknown = (await search.studyNames())
    .map((study) => OURS.exec(study))
    .filter((match) => match !== null)
    .filter(([, , , uid = '']) => !cached.has(uid))
    .slice(0, MOST_AT_ONCE);
  for (const [study, namespace = '', name = '', uid] of unknown) {
    const live = await pass.live.get<Experiment>(EXPERIMENT, { namespace, name });
    if (live?.metadata.uid === uid) continue;
    await search.forget(study);
    pass.log.info({ study }, 'forgot the study of an Experiment that is gone');
  }
};
