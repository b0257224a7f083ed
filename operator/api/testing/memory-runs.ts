import { ParamConflict, RunNotFound } from '../../kinds/experiment/run-store.ts';
import type { Metric, NewRun, Run, RunStore } from '../../kinds/experiment/run-store.ts';

export const memoryRuns = (): RunStore & { add(run: Partial<Run> & NewRun): Run } => {
  const runs = new Map<string, Run>();
  const history = new Map<string, Metric[]>();
  const need = (runId: string): Run => {
    const run = runs.get(runId);
    if (run === undefined) throw new RunNotFound(runId);
    return run;
  };
  const put = (run: Run): Run => {
    runs.set(run.runId, run);
    return run;
  };
  const add = (run: Partial<Run> & NewRun): Run =>
    put({ status: 'RUNNING', lifecycleStage: 'active', params: {}, tags: {}, metrics: [], ...run });
  return {
    add,
    createTrial: () => Promise.reject(new Error('not here')),
    startRun: () => Promise.reject(new Error('not here')),
    finishRun: () => Promise.reject(new Error('not here')),
    createRun: async (run) => add(run),
    getRun: async (runId) => runs.get(runId),
    updateRun: async (runId, change) => put({ ...need(runId), ...change }),
    deleteRun: async (runId) => void put({ ...need(runId), lifecycleStage: 'deleted' }),
    restoreRun: async (runId) => void put({ ...need(runId), lifecycleStage: 'active' }),
    logBatch: async (runId, batch) => {
      const run = need(runId);
      for (const [key, value] of Object.entries(batch.params ?? {})) {
        const old = run.params[key];
        if (old !== undefined && old !== value) throw new ParamConflict({ runId, key }, old, value);
      }
      const latest = new Map(run.metrics.map((metric) => [metric.key, metric]));
      for (const metric of batch.metrics ?? []) {
        const id = `${runId}/${metric.key}`;
        history.set(id, [...(history.get(id) ?? []), metric]);
        if ((latest.get(metric.key)?.step ?? -Infinity) <= metric.step)
          latest.set(metric.key, metric);
      }
      put({
        ...run,
        params: { ...run.params, ...batch.params },
        tags: { ...run.tags, ...batch.tags },
        metrics: [...latest.values()],
      });
    },
    deleteTag: async (runId, key) => {
      const run = need(runId);
      const tags = Object.fromEntries(Object.entries(run.tags).filter(([name]) => name !== key));
      put({ ...run, tags });
    },
    metricHistory: async (runId, key) => ({
      metrics: history.get(`${need(runId).runId}/${key}`) ?? [],
    }),
    listRuns: async ({ experimentUids, view = 'active' }) => ({
      runs: [...runs.values()].filter(
        (run) =>
          experimentUids.includes(run.experiment.uid) &&
          (view === 'all' || run.lifecycleStage === view),
      ),
    }),
    deleteExperimentRuns: async () => 0,
  };
};
