/** One request of a conversation with a tracking server, and what to remember of the answer. */
export type Step = {
  readonly name: string;
  readonly call: readonly [method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT', path: string];
  readonly body?: object;
  /** Name of a placeholder `{name}` to the place of its value in the answer. */
  readonly keep?: Readonly<Record<string, string>>;
};

const step = (
  name: string,
  [method, path]: Step['call'],
  body?: object,
  keep?: Step['keep'],
): Step => ({
  name,
  call: [method, path.startsWith('/') ? path : `/api/2.0/mlflow/${path}`],
  ...(body === undefined ? {} : { body }),
  ...(keep === undefined ? {} : { keep }),
});

const experiments: readonly Step[] = [
  step(
    'create an experiment',
    ['POST', 'experiments/create'],
    { name: 'iris', tags: [{ key: 'team', value: 'a' }] },
    { exp: 'experiment_id' },
  ),
  step('create it again', ['POST', 'experiments/create'], { name: 'iris' }),
  step('create one without a name', ['POST', 'experiments/create'], {}),
  step(
    'create one with a free name',
    ['POST', 'experiments/create'],
    { name: '/Users/Ada Ü/My Exp' },
    { free: 'experiment_id' },
  ),
  step('get it', ['GET', 'experiments/get?experiment_id={exp}']),
  step('get it by name', ['GET', 'experiments/get-by-name?experiment_name=iris']),
  step('get the free one by name', [
    'GET',
    'experiments/get-by-name?experiment_name=%2FUsers%2FAda%20%C3%9C%2FMy%20Exp',
  ]),
  step('get a missing one by name', ['GET', 'experiments/get-by-name?experiment_name=none']),
  step('get a missing one', ['GET', 'experiments/get?experiment_id=987654']),
  step('tag it', ['POST', 'experiments/set-experiment-tag'], {
    experiment_id: '{exp}',
    key: 'k',
    value: 'v',
  }),
  step('untag it', ['POST', 'experiments/delete-experiment-tag'], {
    experiment_id: '{exp}',
    key: 'team',
  }),
  step('untag it again', ['POST', 'experiments/delete-experiment-tag'], {
    experiment_id: '{exp}',
    key: 'team',
  }),
  step('search experiments by tag', ['POST', 'experiments/search'], {
    filter: "tags.k = 'v'",
    max_results: 10,
  }),
  step('search experiments by name', ['POST', 'experiments/search'], {
    filter: "name LIKE 'ir%'",
    order_by: ['name DESC'],
    max_results: 10,
  }),
  step('search experiments with a wrong attribute', ['POST', 'experiments/search'], {
    filter: "colour = 'x'",
    max_results: 10,
  }),
  step('search experiments with a wrong filter', ['POST', 'experiments/search'], {
    filter: 'name ===',
    max_results: 10,
  }),
  step('rename it', ['POST', 'experiments/update'], { experiment_id: '{exp}', new_name: 'Iris 2' }),
  step('get it by its new name', ['GET', 'experiments/get-by-name?experiment_name=Iris%202']),
  step('rename it to a taken name', ['POST', 'experiments/update'], {
    experiment_id: '{exp}',
    new_name: '/Users/Ada Ü/My Exp',
  }),
  step('delete the free one', ['POST', 'experiments/delete'], { experiment_id: '{free}' }),
  step('get the deleted one', ['GET', 'experiments/get?experiment_id={free}']),
  step('run in the deleted one', ['POST', 'runs/create'], {
    experiment_id: '{free}',
    start_time: 1,
  }),
  step('search deleted experiments', ['POST', 'experiments/search'], {
    view_type: 'DELETED_ONLY',
    max_results: 10,
  }),
  step('delete it again', ['POST', 'experiments/delete'], { experiment_id: '{free}' }),
  step('restore it', ['POST', 'experiments/restore'], { experiment_id: '{free}' }),
  step('restore it again', ['POST', 'experiments/restore'], { experiment_id: '{free}' }),
  step('delete a missing one', ['POST', 'experiments/delete'], { experiment_id: '987654' }),
];

const runs: readonly Step[] = [
  step(
    'create a run',
    ['POST', 'runs/create'],
    {
      experiment_id: '{exp}',
      user_id: 'ada',
      run_name: 'first',
      start_time: 1000,
      tags: [{ key: 'a', value: 'b' }],
    },
    { run: 'run.info.run_id' },
  ),
  step(
    'create a nested run',
    ['POST', 'runs/create'],
    {
      experiment_id: '{exp}',
      user_id: 'ada',
      run_name: 'child',
      start_time: 2000,
      tags: [{ key: 'mlflow.parentRunId', value: '{run}' }],
    },
    { child: 'run.info.run_id' },
  ),
  step('create a run nowhere', ['POST', 'runs/create'], { experiment_id: '987654', start_time: 1 }),
  step('log a param', ['POST', 'runs/log-parameter'], { run_id: '{run}', key: 'lr', value: '0.1' }),
  step('log it again', ['POST', 'runs/log-parameter'], {
    run_id: '{run}',
    key: 'lr',
    value: '0.1',
  }),
  step('change it', ['POST', 'runs/log-parameter'], { run_id: '{run}', key: 'lr', value: '0.2' }),
  step('log a param without a key', ['POST', 'runs/log-parameter'], {
    run_id: '{run}',
    value: '0.2',
  }),
  step('log a param that is too long', ['POST', 'runs/log-parameter'], {
    run_id: '{run}',
    key: 'long',
    value: 'x'.repeat(6001),
  }),
  step('log a param with a long key', ['POST', 'runs/log-parameter'], {
    run_id: '{run}',
    key: 'k'.repeat(251),
    value: 'x',
  }),
  step('log a metric', ['POST', 'runs/log-metric'], {
    run_id: '{run}',
    key: 'loss',
    value: 0.5,
    timestamp: 10,
    step: 0,
  }),
  step('log the next', ['POST', 'runs/log-metric'], {
    run_id: '{run}',
    key: 'loss',
    value: 0.25,
    timestamp: 11,
    step: 1,
  }),
  step('log a metric without a value', ['POST', 'runs/log-metric'], {
    run_id: '{run}',
    key: 'loss',
    timestamp: 11,
    step: 1,
  }),
  step('log a metric that is no number', ['POST', 'runs/log-metric'], {
    run_id: '{run}',
    key: 'loss',
    value: 'much',
    timestamp: 11,
  }),
  step('log a batch', ['POST', 'runs/log-batch'], {
    run_id: '{child}',
    metrics: [
      { key: 'acc', value: 0.9, timestamp: 5, step: 0 },
      { key: 'loss', value: 0.1, timestamp: 5, step: 0 },
    ],
    params: [{ key: 'lr', value: '1' }],
    tags: [{ key: 'x', value: 'y' }],
  }),
  step('log a batch with 101 params', ['POST', 'runs/log-batch'], {
    run_id: '{child}',
    params: Array.from({ length: 101 }, (_, at) => ({ key: `p${at}`, value: 'v' })),
  }),
  step('log a batch that contradicts itself', ['POST', 'runs/log-batch'], {
    run_id: '{child}',
    params: [
      { key: 'q', value: '1' },
      { key: 'q', value: '2' },
    ],
  }),
  step('set a tag', ['POST', 'runs/set-tag'], { run_id: '{run}', key: 't', value: 'ü' }),
  step('delete a tag', ['POST', 'runs/delete-tag'], { run_id: '{run}', key: 'a' }),
  step('delete it again', ['POST', 'runs/delete-tag'], { run_id: '{run}', key: 'a' }),
  step('set a tag that is too long', ['POST', 'runs/set-tag'], {
    run_id: '{run}',
    key: 'big',
    value: 'x'.repeat(8001),
  }),
  step('log a dataset', ['POST', 'runs/log-inputs'], {
    run_id: '{run}',
    datasets: [
      {
        tags: [{ key: 'mlflow.data.context', value: 'train' }],
        dataset: {
          name: 'd',
          digest: 'abc',
          source_type: 'local',
          source: '{}',
          schema: '{"a": 1}',
        },
      },
    ],
  }),
  step('get the run', ['GET', 'runs/get?run_id={run}']),
  step('get a missing run', ['GET', 'runs/get?run_id=0123456789abcdef0123456789abcdef']),
  step('get no run', ['GET', 'runs/get']),
  step('history of a metric', ['GET', 'metrics/get-history?run_id={run}&metric_key=loss']),
  step('history of no metric', ['GET', 'metrics/get-history?run_id={run}&metric_key=none']),
  step('first page of a history', [
    'GET',
    'metrics/get-history?run_id={run}&metric_key=loss&max_results=1',
  ]),
  step('history of a missing run', [
    'GET',
    'metrics/get-history?run_id=0123456789abcdef0123456789abcdef&metric_key=loss',
  ]),
  step('search runs by metric', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    filter: 'metrics.acc > 0.5 and params.lr = "1"',
    max_results: 10,
  }),
  step('search runs by tag', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    filter: "tags.`mlflow.parentRunId` = '{run}'",
    max_results: 10,
  }),
  step('search runs by name', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    filter: "attributes.run_name ILIKE 'FIR%'",
    max_results: 10,
  }),
  step('search runs by dataset', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    filter: "dataset.name = 'd'",
    max_results: 10,
  }),
  step('search runs in order', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    order_by: ['metrics.loss ASC'],
    max_results: 1,
  }),
  step('search runs in unknown order', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    order_by: ['colour.x ASC'],
    max_results: 1,
  }),
  step('search runs with a number in quotes', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    filter: "metrics.acc > '0.5'",
    max_results: 10,
  }),
  step('search runs comparing text by size', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    filter: "params.lr > '1'",
    max_results: 10,
  }),
  step('search runs by an unknown attribute', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    filter: "attributes.colour = 'x'",
    max_results: 10,
  }),
  step('search runs with OR', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    filter: "params.lr = '1' OR params.lr = '2'",
    max_results: 10,
  }),
  step('search runs with a quote left open', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    filter: "params.lr = '1",
    max_results: 10,
  }),
  step('search too many runs', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    max_results: 50_001,
  }),
  step('search runs from a strange page', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    max_results: 10,
    page_token: 'strange',
  }),
  step('end the run', ['POST', 'runs/update'], {
    run_id: '{run}',
    status: 'FINISHED',
    end_time: 3000,
    run_name: 'renamed',
  }),
  step('end it in a strange way', ['POST', 'runs/update'], { run_id: '{run}', status: 'DONE' }),
  step('delete the nested run', ['POST', 'runs/delete'], { run_id: '{child}' }),
  step('log to the deleted run', ['POST', 'runs/log-metric'], {
    run_id: '{child}',
    key: 'm',
    value: 1,
    timestamp: 1,
  }),
  step('search active runs', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    max_results: 10,
  }),
  step('search deleted runs', ['POST', 'runs/search'], {
    experiment_ids: ['{exp}'],
    run_view_type: 'DELETED_ONLY',
    max_results: 10,
  }),
  step('restore it', ['POST', 'runs/restore'], { run_id: '{child}' }),
  step('list no artifacts', ['GET', 'artifacts/list?run_id={run}']),
  step('list artifacts outside', ['GET', 'artifacts/list?run_id={run}&path=..%2F..']),
];

const models: readonly Step[] = [
  step(
    'announce a logged model',
    ['POST', 'logged-models'],
    {
      experiment_id: '{exp}',
      name: 'clf',
      source_run_id: '{run}',
      params: [{ key: 'p', value: '1' }],
      tags: [{ key: 't', value: '1' }],
    },
    { model: 'model.info.model_id' },
  ),
  step('finish it', ['PATCH', 'logged-models/{model}'], {
    model_id: '{model}',
    status: 'LOGGED_MODEL_READY',
  }),
  step('get it', ['GET', 'logged-models/{model}']),
  step('get a missing one', ['GET', 'logged-models/m-0123456789abcdef0123456789abcdef']),
  step('tag it', ['PATCH', 'logged-models/{model}/tags'], {
    model_id: '{model}',
    tags: [{ key: 'q', value: 'good' }],
  }),
  step('untag it', ['DELETE', 'logged-models/{model}/tags/q']),
  step('search logged models', ['POST', 'logged-models/search'], { experiment_ids: ['{exp}'] }),
  step('name it an output', ['POST', 'runs/outputs'], {
    run_id: '{run}',
    models: [{ model_id: '{model}', step: 0 }],
  }),
  step('get the run with its model', ['GET', 'runs/get?run_id={run}']),
];

const registry: readonly Step[] = [
  step('register a model', ['POST', 'registered-models/create'], {
    name: 'My Model',
    description: 'd',
    tags: [{ key: 'a', value: 'b' }],
  }),
  step('register it again', ['POST', 'registered-models/create'], { name: 'My Model' }),
  step('register without a name', ['POST', 'registered-models/create'], { name: '' }),
  step('register with a slash', ['POST', 'registered-models/create'], { name: 'a/b' }),
  step('get the registered model', ['GET', 'registered-models/get?name=My%20Model']),
  step('get a missing model', ['GET', 'registered-models/get?name=none']),
  step('describe it', ['PATCH', 'registered-models/update'], {
    name: 'My Model',
    description: 'better',
  }),
  step('tag the model', ['POST', 'registered-models/set-tag'], {
    name: 'My Model',
    key: 'k',
    value: 'v',
  }),
  step('untag the model', ['DELETE', 'registered-models/delete-tag'], {
    name: 'My Model',
    key: 'a',
  }),
  step(
    'create a version',
    ['POST', 'model-versions/create'],
    {
      name: 'My Model',
      source: 'models:/{model}',
      run_id: '{run}',
      tags: [{ key: 'x', value: '1' }],
      description: 'v',
      model_id: '{model}',
    },
    { version: 'model_version.version' },
  ),
  step(
    'create the next',
    ['POST', 'model-versions/create'],
    { name: 'My Model', source: 'models:/{model}', run_id: '{run}', model_id: '{model}' },
    { next: 'model_version.version' },
  ),
  step('create a version of nothing', ['POST', 'model-versions/create'], {
    name: 'nothing',
    source: 'models:/{model}',
    run_id: '{run}',
  }),
  step('create a version without a source', ['POST', 'model-versions/create'], {
    name: 'My Model',
  }),
  step('create a version of a file of the server', ['POST', 'model-versions/create'], {
    name: 'My Model',
    source: '/etc/passwd',
  }),
  step('get the version', ['GET', 'model-versions/get?name=My%20Model&version={version}']),
  step('get a missing version', ['GET', 'model-versions/get?name=My%20Model&version=99']),
  step('get a version by a word', ['GET', 'model-versions/get?name=My%20Model&version=abc']),
  step('describe the version', ['PATCH', 'model-versions/update'], {
    name: 'My Model',
    version: '{version}',
    description: 'better',
  }),
  step('tag the version', ['POST', 'model-versions/set-tag'], {
    name: 'My Model',
    version: '{version}',
    key: 'k',
    value: 'v',
  }),
  step('untag the version', ['DELETE', 'model-versions/delete-tag'], {
    name: 'My Model',
    version: '{version}',
    key: 'x',
  }),
  step('set an alias', ['POST', 'registered-models/alias'], {
    name: 'My Model',
    alias: 'champion',
    version: '{version}',
  }),
  step('set a free alias', ['POST', 'registered-models/alias'], {
    name: 'My Model',
    alias: 'Champ_2',
    version: '{version}',
  }),
  step('move the alias', ['POST', 'registered-models/alias'], {
    name: 'My Model',
    alias: 'champion',
    version: '{next}',
  }),
  step('set a reserved alias', ['POST', 'registered-models/alias'], {
    name: 'My Model',
    alias: 'v1',
    version: '{version}',
  }),
  step('set an alias to a missing version', ['POST', 'registered-models/alias'], {
    name: 'My Model',
    alias: 'x',
    version: '99',
  }),
  step('get by alias', ['GET', 'registered-models/alias?name=My%20Model&alias=champion']),
  step('get by a missing alias', ['GET', 'registered-models/alias?name=My%20Model&alias=none']),
  step('delete the alias', ['DELETE', 'registered-models/alias'], {
    name: 'My Model',
    alias: 'champion',
  }),
  step('delete the alias again', ['DELETE', 'registered-models/alias'], {
    name: 'My Model',
    alias: 'champion',
  }),
  step('move to a stage', ['POST', 'model-versions/transition-stage'], {
    name: 'My Model',
    version: '{version}',
    stage: 'production',
    archive_existing_versions: false,
  }),
  step('move the next there', ['POST', 'model-versions/transition-stage'], {
    name: 'My Model',
    version: '{next}',
    stage: 'Production',
    archive_existing_versions: true,
  }),
  step('move to a strange stage', ['POST', 'model-versions/transition-stage'], {
    name: 'My Model',
    version: '{next}',
    stage: 'prod',
    archive_existing_versions: false,
  }),
  step('archive into Archived', ['POST', 'model-versions/transition-stage'], {
    name: 'My Model',
    version: '{next}',
    stage: 'Archived',
    archive_existing_versions: true,
  }),
  step('latest versions', ['POST', 'registered-models/get-latest-versions'], { name: 'My Model' }),
  step('latest version of a stage', ['POST', 'registered-models/get-latest-versions'], {
    name: 'My Model',
    stages: ['Production'],
  }),
  step('get the model with versions', ['GET', 'registered-models/get?name=My%20Model']),
  step('search versions', [
    'GET',
    "model-versions/search?filter=name%3D'My%20Model'&max_results=10",
  ]),
  step('search versions by run', [
    'GET',
    "model-versions/search?filter=run_id%3D'{run}'&order_by=version_number%20ASC&max_results=1",
  ]),
  step('search versions by an unknown field', [
    'GET',
    "model-versions/search?filter=colour%3D'x'&max_results=10",
  ]),
  step('search models', [
    'GET',
    "registered-models/search?filter=name%20ILIKE%20'my%25'&max_results=10",
  ]),
  step('search models by tag', [
    'GET',
    "registered-models/search?filter=tags.k%3D'v'&max_results=10",
  ]),
  step('search too many models', ['GET', 'registered-models/search?max_results=1001']),
  step('delete the version', ['DELETE', 'model-versions/delete'], {
    name: 'My Model',
    version: '{version}',
  }),
  step('get the deleted version', ['GET', 'model-versions/get?name=My%20Model&version={version}']),
  step('rename the model', ['POST', 'registered-models/rename'], {
    name: 'My Model',
    new_name: 'Other',
  }),
  step('get it by its new name', ['GET', 'registered-models/get?name=Other']),
  step('get it by its old name', ['GET', 'registered-models/get?name=My%20Model']),
  step('delete the model', ['DELETE', 'registered-models/delete'], { name: 'Other' }),
  step('delete it again', ['DELETE', 'registered-models/delete'], { name: 'Other' }),
];

const CREATED = [{ entity: 'MODEL_VERSION', action: 'CREATED' }];

const webhooks: readonly Step[] = [
  step(
    'create a webhook',
    ['POST', 'webhooks'],
    {
      name: 'ci-1',
      url: 'https://93.184.216.34/hook',
      events: [...CREATED, { entity: 'MODEL_VERSION_ALIAS', action: 'CREATED' }],
      description: 'd',
    },
    { hook: 'webhook.webhook_id' },
  ),
  step('create one without TLS', ['POST', 'webhooks'], {
    name: 'ci',
    url: 'http://93.184.216.34/hook',
    events: CREATED,
  }),
  ...['127.0.0.1', '169.254.169.254', '10.0.0.1', '[::1]', 'localhost'].map((host) =>
    step(`create one to ${host}`, ['POST', 'webhooks'], {
      name: 'ci',
      url: `https://${host}/hook`,
      events: CREATED,
    }),
  ),
  step('create one to a file', ['POST', 'webhooks'], {
    name: 'ci',
    url: 'file:///etc/passwd',
    events: CREATED,
  }),
  step('create one without events', ['POST', 'webhooks'], {
    name: 'ci',
    url: 'https://93.184.216.34/hook',
  }),
  step('create one without a name', ['POST', 'webhooks'], {
    url: 'https://93.184.216.34/hook',
    events: CREATED,
  }),
  step('create one with a strange name', ['POST', 'webhooks'], {
    name: '-ci-',
    url: 'https://93.184.216.34/hook',
    events: CREATED,
  }),
  step('create one for what does not happen', ['POST', 'webhooks'], {
    name: 'ci',
    url: 'https://93.184.216.34/hook',
    events: [{ entity: 'MODEL_VERSION', action: 'DELETED' }],
  }),
  step('get it', ['GET', 'webhooks/{hook}']),
  step('get a missing one', ['GET', 'webhooks/none']),
  step('list webhooks', ['GET', 'webhooks?max_results=10']),
  step('list too many', ['GET', 'webhooks?max_results=1001']),
  step('change its events and disable it', ['PATCH', 'webhooks/{hook}'], {
    events: [{ entity: 'REGISTERED_MODEL', action: 'CREATED' }],
    status: 'DISABLED',
  }),
  step('move it to the machine itself', ['PATCH', 'webhooks/{hook}'], {
    url: 'https://127.0.0.1/hook',
  }),
  step('give it a secret', ['PATCH', 'webhooks/{hook}'], { secret: 's3cret', description: '' }),
  step('change a missing one', ['PATCH', 'webhooks/none'], { name: 'x' }),
  step('delete it', ['DELETE', 'webhooks/{hook}']),
  step('delete it again', ['DELETE', 'webhooks/{hook}']),
  step('list no webhooks', ['GET', 'webhooks']),
];

const numbered = (part: string, steps: readonly Step[]): readonly Step[] =>
  steps.map((each) => ({ ...each, name: `${part}: ${each.name}` }));

/** What clients say to a server; the answers of MLflow's own are in `recorded-3.17.2.json`. */
export const conversation: readonly Step[] = [
  ...numbered('experiments', experiments),
  ...numbered('runs', runs),
  ...numbered('logged models', models),
  ...numbered('registry', registry),
  ...numbered('webhooks', webhooks),
];
