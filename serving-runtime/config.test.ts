import { describe, expect, test } from '@jest/globals';
import { readConfig, readEnvironment, terminationLogPath } from './config.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const minimal = {
  MLOPS_MODEL_NAME: 'digits',
  MLOPS_MODEL_VERSION: '1.0.0',
  MLOPS_MODEL_DIGEST: digest,
  MLOPS_ARTIFACT_URL: 'http://api.mlops-system:8080/artifacts/1',
  MLOPS_TOKEN_FILE: '/var/run/token',
};
const { MLOPS_ARTIFACT_URL: _url, MLOPS_TOKEN_FILE: _token, ...unplaced } = minimal;

describe('settings', () => {
  test('have defaults for all but the model', () => {
    expect(readConfig('serve', { ...minimal, PATH: '/bin' })).toEqual({
      model: 'digits',
      version: '1.0.0',
      digest,
      source: {
        kind: 'artifact',
        url: 'http://api.mlops-system:8080/artifacts/1',
        tokenFile: '/var/run/token',
      },
      modelControl: 'none',
      isCacheShared: false,
      httpPort: 8080,
      metricsPort: 8080,
      cacheDir: '/cache',
      maxModelBytes: 1_073_741_824,
      maxBodyBytes: 67_108_864,
      timeoutMs: 60_000,
      containerConcurrency: 64,
      queueSize: 256,
      execution: { batch: { maxRows: 1, maxWaitMs: 2 }, breaker: undefined },
      drainMs: 5000,
      fetchMs: 600_000,
      terminationLog: '/dev/termination-log',
      logLevel: 'info',
    });
  });

  test('name a list of models instead of one', () => {
    const listed = { MLOPS_MODELS_FILE: '/etc/models.yaml', MLOPS_MODEL_CONTROL: 'explicit' };
    expect(readConfig('serve', listed)).toMatchObject({
      ...{ modelsFile: '/etc/models.yaml', modelControl: 'explicit', source: undefined },
    });
    expect(() => readConfig('serve', { ...listed, MLOPS_MODEL_NAME: 'm' })).toThrow(
      'MLOPS_MODEL_NAME cannot be set beside MLOPS_MODELS_FILE',
    );
    expect(() => readConfig('serve', { ...minimal, MLOPS_MODEL_CONTROL: 'explicit' })).toThrow(
      'MLOPS_MODELS_FILE is missing',
    );
  });

  test('are read from the process', () => {
    expect(readEnvironment()['PATH']).toBe(process.env['PATH']);
    expect(terminationLogPath({})).toBe('/dev/termination-log');
    expect(terminationLogPath({ MLOPS_TERMINATION_LOG: '/tmp/t' })).toBe('/tmp/t');
  });

  test.each([
    [
      'MLOPS_MODEL_SOURCE',
      'https://example.com/m.onnx',
      { kind: 'url', url: 'https://example.com/m.onnx' },
    ],
    ['MLOPS_MODEL_SOURCE', '/models/m', { kind: 'path', path: '/models/m' }],
    [
      'MLOPS_MODEL_URL',
      'https://example.com/m.onnx',
      { kind: 'url', url: 'https://example.com/m.onnx' },
    ],
    ['MLOPS_MODEL_PATH', '/models/m', { kind: 'path', path: '/models/m' }],
  ])('take the model from %s=%s', (name, value, source) => {
    expect(readConfig('serve', { ...unplaced, [name]: value }).source).toEqual(source);
  });

  test('take the model from a bucket, with the keys of a mounted Secret', () => {
    const { source } = readConfig('serve', {
      ...unplaced,
      MLOPS_MODEL_S3_URI: 's3://mine/a/model.onnx',
      MLOPS_S3_CREDENTIALS_DIR: '/secret',
    });
    expect(source).toEqual({
      kind: 's3',
      bucket: 'mine',
      key: 'a/model.onnx',
      credentialsDir: '/secret',
    });
  });

  test('of an inspection need the source only', () => {
    expect(readConfig('inspect', { MLOPS_MODEL_PATH: '/m' })).toMatchObject({ digest: undefined });
  });

  test("leave Kubernetes' own variables for services alone", () => {
    const links = {
      MLOPS_API_SERVICE_HOST: '10.0.0.1',
      MLOPS_API_SERVICE_PORT: '80',
      MLOPS_API_SERVICE_PORT_HTTP: '80',
      MLOPS_API_PORT: 'tcp://10.0.0.1:80',
      MLOPS_API_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(() => readConfig('serve', { ...minimal, ...links })).not.toThrow();
  });
});

function faultsOf(environment: Record<string, string>): string {
  try {
    readConfig('serve', environment);
  } catch (error) {
    expect(error).toMatchObject({ code: 'InvalidConfig' });
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

describe('faults', () => {
  test('are all told at once', () => {
    const text = faultsOf({
      MLOPS_MODLE_NAME: 'x',
      MLOPS_HTTP_PORT: '70000',
      MLOPS_TIMEOUT: '10 seconds',
      MLOPS_MODEL_DIGEST: 'abc',
      MLOPS_MAX_BODY_BYTES: '-1',
    });
    expect(text).toContain('the environment has 5 fault(s)');
    expect(text).toContain('MLOPS_MODLE_NAME is not a setting of this runtime');
    expect(text).toContain('MLOPS_HTTP_PORT is not a port');
    expect(text).toContain('MLOPS_TIMEOUT is not a duration such as 10s');
    expect(text).toContain('MLOPS_MODEL_DIGEST is not sha256:');
    expect(text).toContain('MLOPS_MAX_BODY_BYTES is not a whole number');
  });

  test('name what serving needs', () => {
    const text = faultsOf({});
    expect(text).toContain('MLOPS_MODEL_NAME is missing');
    expect(text).toContain('MLOPS_MODEL_DIGEST is missing');
    expect(text).toContain('exactly one of MLOPS_ARTIFACT_URL');
  });

  test.each([
    [{ ...unplaced, MLOPS_MODEL_SOURCE: 'gs://b/k' }, 'the model source is not artifact+http'],
    [{ ...unplaced, MLOPS_MODEL_S3_URI: 's3://b/k' }, 'MLOPS_S3_CREDENTIALS_DIR is missing'],
    [{ ...unplaced, MLOPS_MODEL_S3_URI: 's3://b' }, 's3://<bucket>/<key>'],
    [{ ...unplaced, MLOPS_MODEL_PATH: 'models' }, 'or an absolute path'],
    [{ ...unplaced, MLOPS_ARTIFACT_URL: 'http://x' }, 'MLOPS_TOKEN_FILE is missing'],
    [{ ...minimal, MLOPS_MODEL_PATH: '/m' }, 'exactly one of'],
    [{ ...minimal, MLOPS_CONTAINER_CONCURRENCY: '0' }, 'must be at least 1'],
    [{ ...minimal, MLOPS_LOG_LEVEL: 'loud' }, 'MLOPS_LOG_LEVEL'],
  ])('%#', (environment, message) => {
    expect(faultsOf(environment)).toContain(message);
  });
});
