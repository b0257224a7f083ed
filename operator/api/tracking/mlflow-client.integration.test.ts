import { execFile, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { pythonWith } from '../../../e2e/integration/python.ts';

const run = promisify(execFile);
const here = import.meta.dirname;
const MINUTES = 60_000;

type Seen = Readonly<Record<string, unknown>>;
type Served = {
  readonly url: string;
  readonly token: string;
  readonly runId: string;
  readonly experimentId: string;
};

const python = (list: string): Promise<string> => pythonWith('mlflow', join(here, 'testing', list));

/** Runs a client against the API, which lives in a process of its own meanwhile. */
const against = async <T>(client: (served: Served) => Promise<T>): Promise<T> => {
  const server = spawn(process.execPath, [join(here, '..', 'testing', 'serve-memory.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const served = await new Promise<Served>((resolve, reject) => {
      server.once('error', reject);
      server.once('exit', (code) => reject(new Error(`The server ended with ${code}.`)));
      createInterface(server.stdout).once('line', (line) => resolve(JSON.parse(line) as Served));
    });
    return await client(served);
  } finally {
    server.stdin.end();
  }
};

const session = async (): Promise<Seen> => {
  const interpreter = await python('requirements.txt');
  return against(async (served) => {
    const { stdout } = await run(interpreter, [join(here, 'testing', 'client_session.py')], {
      env: environment(served),
      timeout: 2 * MINUTES,
    });
    return JSON.parse(stdout) as Seen;
  });
};

/** The contract test under pytest: its cases, each with `passed`, `failed` or `skipped`. */
const contract = async (
  list: string,
  select: string,
): Promise<Readonly<Record<string, string>>> => {
  const interpreter = await python(list);
  return against(async (served) => {
    const { MLFLOW_RUN_ID: _run, MLFLOW_EXPERIMENT_ID: _experiment, ...env } = environment(served);
    const { stdout } = await run(
      interpreter,
      [
        ...['-m', 'pytest', '-rA', '-q', '--tb=short', '-p', 'no:cacheprovider', '-k', select],
        join(here, 'testing', 'test_contract.py'),
      ],
      {
        env: { ...env, MLFLOW_TRACKING_TOKEN: 'ci', KERAS_BACKEND: 'jax' },
        cwd: tmpdir(),
        timeout: 5 * MINUTES,
        maxBuffer: 64 * 1024 * 1024,
      },
    ).catch((error: { readonly stdout?: string }) => {
      // Failed cases end it with a code of their own; the report says which.
      if (error.stdout?.includes('short test summary') === true) return { stdout: error.stdout };
      throw error;
    });
    const cases = stdout.matchAll(/^(PASSED|FAILED|ERROR) \S*::(\S+)(.*)$/gm);
    return Object.fromEntries(
      [...cases].map(([, verdict = '', name = '', words = '']) => [
        name,
        verdict === 'PASSED' ? 'passed' : verdict.toLowerCase() + words,
      ]),
    );
  });
};

const passed = (cases: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(cases.map((name) => [name, 'passed']));

const environment = ({ url, token, runId, experimentId }: Served): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: tmpdir(),
  MLFLOW_TRACKING_URI: url,
  MLFLOW_TRACKING_TOKEN: token,
  MLFLOW_EXPERIMENT_ID: experimentId,
  MLFLOW_RUN_ID: runId,
  EXPERIMENT_NAME: 'digits-train',
  MLFLOW_DISABLE_TELEMETRY: 'true',
  MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT: 'true',
  MLFLOW_HTTP_REQUEST_MAX_RETRIES: '2',
});

describe('the unmodified MLflow client', () => {
  let seen: Seen = {};
  beforeAll(async () => {
    seen = await session();
  }, 10 * MINUTES);

  test('takes up the run that was opened for it and ends it', () => {
    expect(seen).toMatchObject({
      experiment: 'digits-train',
      resumed: true,
      artifact_uri: expect.stringMatching(
        /^mlflow-artifacts:\/demo\/runs\/[0-9a-f]{32}\/artifacts$/,
      ),
      status: 'FINISHED',
    });
  });

  test('logs params, metrics and tags, and reads them back', () => {
    expect(seen).toMatchObject({
      params: { lr: '0.1', hidden: '64', kernel: 'rbf', batch: 'yes' },
      metrics: { loss: '0.25', accuracy: '0.97', broken: 'nan', huge: 'inf', batch: '1.0' },
      tags: { stage: 'candidate', a: '1', b: null, batch: 'yes' },
      hidden_tags: [],
      history: [
        [0, 0.5],
        [1, 0.25],
      ],
      param_twice: [
        'INVALID_PARAMETER_VALUE',
        expect.stringContaining('Changing param values is not allowed'),
      ],
    });
  });

  test('logs, lists and downloads artifacts', () => {
    expect(seen).toMatchObject({
      root: [
        ['docs', true, null],
        ['model.onnx', false, 10],
        ['plots', true, null],
      ],
      docs: [
        ['docs/a.json', false, 12],
        ['docs/empty.txt', false, 0],
        ['docs/hello.txt', false, 5],
      ],
      of_file: [],
      downloaded: [
        ['docs/a.json', '{\n  "a": 1\n}'],
        ['docs/empty.txt', ''],
        ['docs/hello.txt', 'hello'],
        ['model.onnx', 'onnx bytes'],
        ['plots/a b ü.json', '{}'],
      ],
      load_text: 'hello',
    });
  });

  test('is told at once that a file is too large', () => {
    const [code, message] = seen['too_large'] as readonly [string, string];
    expect(code).toBe('HTTPError');
    expect(message).toContain('an artifact may have at most 8388608; nothing was stored');
  });

  test('logs a model with its run and finds it again', () => {
    expect(seen).toMatchObject({
      model: ['classifier', 'READY', true, '0.1'],
      model_tags: 'good',
      model_bytes: 'logged bytes',
      outputs: [true],
    });
    expect(seen['model_files']).toContain('classifier/model.onnx');
  });

  test('opens a run of its own, searches, deletes, restores and renames it', () => {
    expect(seen).toMatchObject({
      own: ['by hand', 'FINISHED'],
      found: ['by hand'],
      after_delete: 0,
      renamed: 'renamed',
      failed: 'FAILED',
    });
  });

  test('sees only the Experiment of its pod', () => {
    expect(seen).toMatchObject({ experiments: ['digits-train'], elsewhere: [], missing: null });
  });

  test('is told what this API does not do', () => {
    expect(seen).toMatchObject({
      create: ['PERMISSION_DENIED', expect.stringContaining('may not create experiments')],
      no_run: ['RESOURCE_DOES_NOT_EXIST', expect.stringContaining('not found')],
      registry: ['PERMISSION_DENIED', expect.stringContaining('may not get models')],
      stolen: ['UNAUTHENTICATED', expect.stringContaining('does not accept this token')],
    });
  });
});

const BASICS = [
  'test_experiments_live_from_creation_to_restoration',
  'test_set_experiment_makes_what_is_missing_and_nested_runs_know_their_parent',
  'test_a_run_without_an_experiment_lands_in_default',
  'test_a_metric_keeps_its_history_over_pages',
  'test_long_params_are_cut_and_a_param_does_not_change',
  'test_artifacts_come_back_as_they_went',
  'test_a_large_upload_that_breaks_off_leaves_nothing_and_can_be_repeated',
  'test_a_model_is_registered_aliased_staged_found_and_loaded',
  'test_versions_registered_at_once_get_numbers_of_their_own',
  'test_a_version_is_copied_to_another_model',
  ...['nesting', 'many', 'nul', 'huge', 'sql', 'quotes'].map(
    (which) => `test_a_strange_filter_is_answered_not_obeyed[${which}]`,
  ),
  ...['../../x', '/etc/passwd', 'a/../../b', '%2e%2e/x'].map(
    (path) => `test_a_path_out_of_the_run_is_refused[${path}]`,
  ),
];

describe('the contract that pytest holds the real client to', () => {
  test(
    'is kept with MLflow 3, autolog included',
    async () => {
      expect(await contract('requirements.txt', 'test')).toEqual(
        passed([
          ...BASICS,
          'test_a_large_file_goes_and_comes_in_parts',
          'test_webhooks_are_kept_and_do_not_reach_inside',
          'test_autolog_of_scikit_learn_to_a_model_that_predicts',
          'test_autolog_of_a_search_over_parameters_nests_its_runs',
          'test_autolog_of_xgboost',
          'test_autolog_of_lightgbm',
          'test_autolog_of_keras',
        ]),
      );
    },
    12 * MINUTES,
  );

  test(
    'is kept with MLflow 2',
    async () => {
      expect(await contract('requirements-2.txt', 'not autolog')).toEqual(passed(BASICS));
    },
    12 * MINUTES,
  );
});
