import { describe, expect, test } from '@jest/globals';

import { SETTINGS } from './config-settings.ts';
import { ConfigError, loadConfig } from './config.ts';

const faultsOf = (env: Record<string, string>): readonly string[] => {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
};

describe('loadConfig', () => {
  test('has a default for everything', () => {
    const config = loadConfig({});
    expect(config.apiPort).toBe(8080);
    expect(config.healthPort).toBe(8081);
    expect(config.maxArtifactBytes).toBe(1_073_741_824);
    expect(config.finalizerDeadlineSeconds).toBe(300);
    expect(config.watchNamespaces).toEqual([]);
    expect(config.database).toBeUndefined();
    expect(config.allowPrivateHosts).toEqual([]);
    expect(config.s3.presignEndpoint).toBe('http://mlops-operator-s3.mlops-system.svc:7070');
  });

  test('describes every setting', () => {
    const undescribed = Object.entries(SETTINGS).filter(([, schema]) => !schema.description);
    expect(undescribed).toEqual([]);
  });

  test('reads every kind of value', () => {
    const config = loadConfig({
      MLOPS_POD_NAME: 'mlops-operator-0',
      MLOPS_WATCH_NAMESPACES: 'demo, team-b,',
      MLOPS_MAX_ARTIFACT_BYTES: '500M',
      MLOPS_FINALIZER_DEADLINE: '1m30s',
      MLOPS_LEADER_ELECTION: 'false',
      MLOPS_WORKERS: '2,experiments=8',
      MLOPS_CHILD_RESOURCES: '{"requests":{"cpu":"50m"}}',
      MLOPS_S3_ENDPOINT: 'https://s3.example.com/',
      MLOPS_ALLOW_PRIVATE_HOSTS: '*',
    });
    expect(config.watchNamespaces).toEqual(['demo', 'team-b']);
    expect(config.maxArtifactBytes).toBe(500_000_000);
    expect(config.finalizerDeadlineSeconds).toBe(90);
    expect(config.leaderElection).toEqual({
      enabled: false,
      leaseName: 'mlops-operator',
      namespace: 'mlops-system',
      identity: 'mlops-operator-0',
      times: { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
      shards: 1,
    });
    expect(config.workers).toEqual({ default: 2, byKind: { experiments: 8 } });
    expect(config.childResources).toEqual({ requests: { cpu: '50m' }, limits: {} });
    expect(config.s3.endpoint).toBe('https://s3.example.com');
    expect(config.allowPrivateHosts).toBe(true);
  });

  test('takes PostgreSQL apart or as one URL', () => {
    expect(
      loadConfig({ MLOPS_DATABASE_HOST: 'db', MLOPS_DATABASE_PASSWORD_FILE: '/etc/pw' }).database,
    ).toEqual({
      host: 'db',
      port: 5432,
      name: 'mlops',
      user: 'mlops',
      passwordFile: '/etc/pw',
      tls: 'disable',
      caFile: undefined,
    });
    expect(loadConfig({ MLOPS_DATABASE_URL: 'postgres://u:p@h/d' }).database).toEqual({
      url: 'postgres://u:p@h/d',
    });
    expect(loadConfig({ MLOPS_DATABASE_URL_FILE: '/etc/url' }).database).toEqual({
      urlFile: '/etc/url',
    });
  });

  test('refuses times of a lease that could let two lead', () => {
    expect(faultsOf({ MLOPS_LEASE_DURATION: '10s' })).toEqual([
      expect.stringContaining('MLOPS_LEASE_DURATION, MLOPS_LEASE_RENEW_DEADLINE and'),
    ]);
    const short = { MLOPS_LEASE_DURATION: '3s', MLOPS_LEASE_RENEW_DEADLINE: '2s' };
    expect(
      loadConfig({ ...short, MLOPS_LEASE_RETRY_PERIOD: '500ms', MLOPS_SHARDS: '8' }).leaderElection,
    ).toMatchObject({
      times: { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 500 },
      shards: 8,
    });
  });

  test('treats an empty variable as absent', () => {
    expect(loadConfig({ MLOPS_OTLP_ENDPOINT: '' }).otlpEndpoint).toBeUndefined();
  });

  test('reports every fault at once, each naming its variable', () => {
    const faults = faultsOf({
      MLOPS_API_PORT: '80800',
      MLOPS_LOG_LEVEL: 'loud',
      MLOPS_FINALIZER_DEADLINE: '5 minutes',
      MLOPS_MAX_ARTIFACT_BYTES: '-1',
      MLOPS_CHILD_RESOURCES: '{"request":{}}',
      MLOPS_WORKERS: '0',
      MLOPS_LEADER_ELECTION: 'yes',
      MLOPS_S3_BUCKET: 'No',
      MLOPS_AIP_PORT: '8080',
      MLOPS_DATABASE_URL: 'postgres://h/d',
      MLOPS_DATABASE_HOST: 'h',
    });
    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
      'MLOPS_AIP_PORT',
      'MLOPS_API_PORT',
      'MLOPS_CHILD_RESOURCES',
      'MLOPS_DATABASE_URL and MLOPS_DATABASE_HOST',
      'MLOPS_FINALIZER_DEADLINE',
      'MLOPS_LEADER_ELECTION',
      'MLOPS_LOG_LEVEL',
      'MLOPS_MAX_ARTIFACT_BYTES',
      'MLOPS_S3_BUCKET',
      'MLOPS_WORKERS',
    ]);
  });

  test('never repeats a URL that may carry a password', () => {
    const [fault] = faultsOf({ MLOPS_DATABASE_URL: 'mysql://root:secret@db' });
    expect(fault).toBe(
      'MLOPS_DATABASE_URL: is no URL that starts with postgres:// or postgresql://.',
    );
  });

  test('leaves the variables alone that Kubernetes adds for Services', () => {
    expect(
      faultsOf({
        MLOPS_OPERATOR_SERVICE_HOST: '198.18.0.9',
        MLOPS_OPERATOR_SERVICE_PORT_HTTP: '8080',
        MLOPS_OPERATOR_PORT_8080_TCP_ADDR: '198.18.0.9',
        MLOPS_OPERATOR_S3_SERVICE_HOST: '198.18.0.10',
        MLOPS_OPERATOR_S3_PORT: 'tcp://198.18.0.10:7070',
        PATH: '/bin',
      }),
    ).toEqual([]);
  });
});
