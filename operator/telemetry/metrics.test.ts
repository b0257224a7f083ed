import { describe, expect, test } from '@jest/globals';
import { newMetrics } from './metrics.ts';

const linesOf = async (
  metrics: ReturnType<typeof newMetrics>,
  name: string,
): Promise<readonly string[]> =>
  (await metrics.metrics()).split('\n').filter((line) => line.startsWith(name));

describe('the metrics of the operator', () => {
  test('count passes under the names of controller-runtime', async () => {
    const metrics = newMetrics();
    const model = metrics.controller('model');
    model.reconciled('success', 0.02);
    model.reconciled('error', 0.2);
    expect(await linesOf(metrics, 'controller_runtime_reconcile_total')).toEqual([
      'controller_runtime_reconcile_total{controller="model",result="success"} 1',
      'controller_runtime_reconcile_total{controller="model",result="error"} 1',
    ]);
    expect(await linesOf(metrics, 'controller_runtime_reconcile_errors_total')).toEqual([
      'controller_runtime_reconcile_errors_total{controller="model"} 1',
    ]);
  });

  test('tell how long keys wait and how many', async () => {
    const metrics = newMetrics();
    const queue = metrics.controller('deployment');
    queue.added();
    queue.depth(3);
    queue.waited(0.3);
    queue.retried();
    expect(await linesOf(metrics, 'workqueue_depth')).toEqual([
      'workqueue_depth{name="deployment"} 3',
    ]);
    expect(await linesOf(metrics, 'workqueue_adds_total')).toEqual([
      'workqueue_adds_total{name="deployment"} 1',
    ]);
    expect(await linesOf(metrics, 'workqueue_retries_total')).toEqual([
      'workqueue_retries_total{name="deployment"} 1',
    ]);
    expect(await linesOf(metrics, 'workqueue_queue_duration_seconds_count')).toEqual([
      'workqueue_queue_duration_seconds_count{name="deployment"} 1',
    ]);
  });

  test('tell how old each cache is, asked at each scrape, and what in it was put right', async () => {
    const metrics = newMetrics();
    let seconds = 3;
    metrics.watchAges(() => [{ resource: 'models', seconds }]);
    expect(await linesOf(metrics, 'mlops_cache_age_seconds')).toEqual([
      'mlops_cache_age_seconds{resource="models"} 3',
    ]);
    seconds = 70;
    expect(await linesOf(metrics, 'mlops_cache_age_seconds')).toEqual([
      'mlops_cache_age_seconds{resource="models"} 70',
    ]);
    metrics.informers.healed?.('models', 2);
    expect(await linesOf(metrics, 'mlops_cache_healed_objects_total')).toEqual([
      'mlops_cache_healed_objects_total{resource="models"} 2',
    ]);
  });

  test('show calls to the API server by verb and code, and watches that ended', async () => {
    const metrics = newMetrics();
    metrics.apiCalls.called('apply', 'jobs', 201, 0.004);
    metrics.informers.restarted('models', 'silent');
    metrics.informers.cached('models', 7);
    expect(await linesOf(metrics, 'rest_client_requests_total')).toEqual([
      'rest_client_requests_total{verb="apply",resource="jobs",code="201"} 1',
    ]);
    expect(await linesOf(metrics, 'mlops_watch_restarts_total')).toEqual([
      'mlops_watch_restarts_total{resource="models",cause="silent"} 1',
    ]);
    expect(await linesOf(metrics, 'mlops_cached_objects')).toEqual([
      'mlops_cached_objects{resource="models"} 7',
    ]);
  });

  test('say who leads and what the mirror holds back', async () => {
    const metrics = newMetrics();
    expect(await linesOf(metrics, 'leader_election_master_status')).toEqual([
      'leader_election_master_status 0',
    ]);
    metrics.leads(true);
    metrics.mirror.spooled(5);
    metrics.mirror.dropped(2);
    metrics.mirror.written(9);
    expect(await linesOf(metrics, 'leader_election_master_status')).toEqual([
      'leader_election_master_status 1',
    ]);
    expect(await linesOf(metrics, 'mlops_mirror')).toEqual([
      'mlops_mirror_spooled_entries 5',
      'mlops_mirror_dropped_entries_total 2',
      'mlops_mirror_written_rows_total 9',
    ]);
  });
});
