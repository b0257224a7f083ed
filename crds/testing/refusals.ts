import { changed } from './changed.ts';
import {
  abTestExample,
  deploymentExample,
  experimentExample,
  modelAliasExample,
  modelExample,
  modelVersionExample,
  pipelineExample,
  pipelineRunExample,
  retrainPolicyExample,
} from './example-manifests.ts';
import { katibRefusals } from './katib-manifests.ts';

/** A manifest the apiserver must refuse, and a piece of what it must say. */
export type Refusal = {
  readonly what: string;
  readonly manifest: object & { readonly kind: string };
  readonly says: string;
};

type Changes = Readonly<Record<string, unknown>>;

const of =
  (example: object & { readonly kind: string }) =>
  (what: string, changes: Changes, says: string): Refusal => ({
    what,
    manifest: changed(example, changes),
    says,
  });

const inModel = of(modelExample);
const inVersion = of(modelVersionExample);
const inAlias = of(modelAliasExample);
const inExperiment = of(experimentExample);
const inPipeline = of(pipelineExample);
const inRun = of(pipelineRunExample);
const inDeployment = of(deploymentExample);
const inTest = of(abTestExample);
const inPolicy = of(retrainPolicyExample);

const semVerSays = 'must be a version of SemVer 2.0.0';
const durationSays = 'must be a duration';
const nameSays = 'must be the name of an object';

const modelRefusals: readonly Refusal[] = [
  inModel('a name of 64 characters', { 'metadata.name': 'a'.repeat(64) }, 'at most 63 characters'),
  inModel('a task we do not know', { 'spec.task': 'poetry' }, 'supported values'),
  inModel('a namespace in capitals', { 'spec.sharedWith.0': 'Team' }, 'must hold only a-z, 0-9'),
  inModel('the same namespace twice', { 'spec.sharedWith': ['a', 'a'] }, 'Duplicate value'),
  inModel('a tag without a name', { 'spec.tags': { '': 'x' } }, 'a tag needs a name'),
  inModel('keeping no version', { 'spec.retention.keepLast': 0 }, 'greater than or equal to 1'),
  inModel('a field we do not know', { 'spec.colour': 'red' }, 'unknown field "spec.colour"'),
];

const versionRefusals: readonly Refusal[] = [
  ...['1.0', 'v1.0.0', '01.0.0', '1.0.0-', '1.0.0-01', '1.0.0+', 'latest', '1.0.0 '].map(
    (version) => inVersion(`the version "${version}"`, { 'spec.version': version }, semVerSays),
  ),
  inVersion('no version', { 'spec.version': undefined }, 'spec.version: Required value'),
  inVersion('no model', { 'spec.modelRef': undefined }, 'spec.modelRef: Required value'),
  inVersion('no storageUri', { 'spec.storageUri': undefined }, 'spec.storageUri: Required value'),
  inVersion('a model in capitals', { 'spec.modelRef.name': 'Digits' }, nameSays),
  ...['ftp://a/b', 's3://bucket', 's3:///x', 'file:///etc/passwd', 's3://b/a b', 'http://h/x'].map(
    (uri) => inVersion(`the URI ${uri}`, { 'spec.storageUri': uri }, 'storageUri must be s3://'),
  ),
  inVersion(
    'credentials in the URI',
    { 'spec.storageUri': 'https://me:secret@example.com/model.onnx' },
    'must not hold a user name or password',
  ),
  ...['s3://b/../other/x', 's3://b/a/..', 'https://h/%2E%2e/x', 's3://b/./x', 's3://b/.%2e/x'].map(
    (uri) => inVersion(`the URI ${uri}`, { 'spec.storageUri': uri }, 'must not hold "." or ".."'),
  ),
  inVersion('a format we do not know', { 'spec.modelFormat.name': 'pickle' }, 'supported values'),
  ...['sha256:abc', 'a'.repeat(64), `sha256:${'A'.repeat(64)}`, `md5:${'a'.repeat(32)}`].map(
    (value) =>
      inVersion(
        `the digest ${value.slice(0, 12)}…`,
        { 'spec.verification.digest': value },
        'must be sha256: followed by 64',
      ),
  ),
  inVersion('a metric with a strange name', { 'spec.metrics.0.name': 'a;b' }, 'name of a metric'),
  inVersion(
    'a metric twice',
    {
      'spec.metrics': [
        { name: 'a', value: 1 },
        { name: 'a', value: 2 },
      ],
    },
    'Duplicate value',
  ),
  inVersion(
    'an image that is only a tag',
    { 'spec.source.image': 'trainer:1' },
    'must be <name>@sha256:<64 hexadecimal digits>, or the digest alone',
  ),
  inVersion('a metric in words', { 'spec.metrics.0.value': 'good' }, 'must be of type number'),
  inVersion('a policy we do not know', { 'spec.deletionPolicy': 'Orphan' }, 'supported values'),
];

const aliasRefusals: readonly Refusal[] = [
  inAlias('another name', { 'metadata.name': 'champion' }, 'metadata.name must be <model>-<alias>'),
  ...['latest', '1', 'v2'].map((alias) =>
    inAlias(
      `the alias ${alias}`,
      { 'metadata.name': `digits-${alias}`, 'spec.alias': alias },
      'are reserved: choose a word such as champion',
    ),
  ),
  inAlias('an alias in capitals', { 'spec.alias': 'Champion' }, 'must hold only a-z, 0-9'),
  inAlias('no version', { 'spec.version': undefined }, 'spec.version: Required value'),
  inAlias('a version that is none', { 'spec.version': '1' }, semVerSays),
];

const parameter = 'spec.parameters.0';
const space = `${parameter}.feasibleSpace`;

const experimentRefusals: readonly Refusal[] = [
  inExperiment(
    'a name of 53 characters',
    { 'metadata.name': 'a'.repeat(53) },
    'at most 52 characters',
  ),
  inExperiment(
    'a name with a dot',
    { 'metadata.name': 'a.b' },
    'metadata.name must start with a letter',
  ),
  inExperiment(
    'no trialTemplate',
    { 'spec.trialTemplate': undefined },
    'spec.trialTemplate: Required value',
  ),
  inExperiment('a search without an objective', { 'spec.objective': undefined }, 'needs objective'),
  inExperiment(
    'a final training without a search',
    {
      'spec.parameters': undefined,
      'spec.trialTemplate.trialParameters': [],
      'spec.register': { modelRef: { name: 'digits' }, artifactPath: 'm.onnx', retrain: {} },
    },
    'trains once more on the best parameters of a search',
  ),
  inExperiment(
    'a final training that is a JobSet',
    {
      'spec.register': {
        modelRef: { name: 'digits' },
        artifactPath: 'm.onnx',
        retrain: {
          trialSpec: { apiVersion: 'jobset.x-k8s.io/v1alpha2', kind: 'JobSet', spec: {} },
        },
      },
    },
    'register.retrain.trialSpec must be a Job',
  ),
  inExperiment('a search without an algorithm', { 'spec.algorithm': undefined }, 'needs objective'),
  inExperiment(
    'a search without an end',
    { 'spec.maxTrialCount': undefined, 'spec.objective.goal': undefined },
    'a search needs an end',
  ),
  inExperiment(
    'early stopping without an objective',
    {
      'spec.objective': undefined,
      'spec.parameters': undefined,
      'spec.trialTemplate.trialParameters': [],
    },
    'earlyStopping compares trials by the objective',
  ),
  inExperiment(
    'a placeholder for a parameter that is not there',
    { 'spec.trialTemplate.trialParameters.0.reference': 'depth' },
    'must be the name of one of spec.parameters',
  ),
  inExperiment(
    'an algorithm we do not know',
    { 'spec.algorithm.algorithmName': 'genetic' },
    'must be random, grid, tpe',
  ),
  ...katibRefusals.map(([what, manifest, says]) => ({ what: `of Katib: ${what}`, manifest, says })),
  inExperiment(
    'stopping by coin',
    { 'spec.earlyStopping.algorithmName': 'coin' },
    'supported values',
  ),
  inExperiment('no trial at once', { 'spec.parallelTrialCount': 0 }, 'greater than or equal to 1'),
  inExperiment('half a trial', { 'spec.maxTrialCount': 1.5 }, 'must be of type integer'),
  inExperiment(
    'the same parameter twice',
    { 'spec.parameters.1': experimentExample.spec.parameters?.[0] },
    'Duplicate value',
  ),
  inExperiment(
    'a parameter with a space',
    { [`${parameter}.name`]: 'a b' },
    'must hold only letters',
  ),
  inExperiment('an int without max', { [`${space}.max`]: undefined }, 'a double or int needs'),
  inExperiment('an int with a list', { [`${space}.list`]: ['1'] }, 'a double or int needs'),
  inExperiment('an int of halves', { [`${space}.step`]: '0.5' }, 'must be whole numbers'),
  inExperiment('a min above max', { [`${space}.min`]: '1e3' }, 'min must not be greater than max'),
  inExperiment('a step of nothing', { [`${space}.step`]: '0' }, 'step must be greater than 0'),
  inExperiment('a min in words', { [`${space}.min`]: 'few' }, 'must be a number written as text'),
  inExperiment(
    'a logarithm of 0',
    { 'spec.parameters.1.feasibleSpace.min': '0' },
    'need a min greater than 0',
  ),
  inExperiment(
    'a categorical without a list',
    { 'spec.parameters.2.feasibleSpace.list': undefined },
    'needs feasibleSpace.list',
  ),
  inExperiment(
    'a categorical with min',
    { 'spec.parameters.2.feasibleSpace.min': '1' },
    'needs feasibleSpace.list',
  ),
  inExperiment(
    'a discrete of words',
    { 'spec.parameters.3.feasibleSpace.list': ['few'] },
    'must hold numbers',
  ),
  inExperiment(
    'a discrete of "1-2"',
    { 'spec.parameters.3.feasibleSpace.list': ['1-2'] },
    'must hold numbers',
  ),
  ...['/model.onnx', '../model.onnx', 'a/../b', 'a//b', './a', 'a b'].map((path) =>
    inExperiment(
      `the artifact ${path}`,
      { 'spec.register.artifactPath': path },
      'must be a relative path',
    ),
  ),
  inExperiment('a bump we do not know', { 'spec.register.bump': 'huge' }, 'supported values'),
  inExperiment('the alias latest', { 'spec.register.alias.name': 'latest' }, 'are reserved'),
  inExperiment(
    'a field of Katib we do not have',
    { 'spec.trialTemplate.configMap': {} },
    'unknown field "spec.trialTemplate.configMap"',
  ),
  inExperiment(
    'early stopping by two objectives',
    { 'spec.objective.additionalObjectives': [{ name: 'loss', type: 'minimize' }] },
    'earlyStopping compares trials by one objective',
  ),
  inExperiment(
    'a JobSet of the API of Jobs',
    { 'spec.trialTemplate.trialSpec.kind': 'JobSet' },
    'trialSpec must be a Job of batch/v1',
  ),
  inExperiment(
    'nodes of a TrainJob',
    {
      'spec.trainer': { numNodes: 2 },
      'spec.trialTemplate.trialSpec.apiVersion': 'trainer.kubeflow.org/v1alpha1',
      'spec.trialTemplate.trialSpec.kind': 'TrainJob',
    },
    'trainer.numNodes is for a trialSpec that is a Job',
  ),
  inExperiment('no node at all', { 'spec.trainer': { numNodes: 0 } }, 'greater than or equal to 1'),
  inExperiment(
    'more nodes than a Job may name',
    { 'spec.trainer': { numNodes: 1001 } },
    'less than or equal to 1000',
  ),
  inExperiment(
    'a name too long for the hostnames of its nodes',
    { 'metadata.name': 'a'.repeat(51), 'spec.trainer': { numNodes: 2 } },
    'at most 50 characters where spec.trainer.numNodes is more than 1',
  ),
  inExperiment(
    'ten retries',
    { 'spec.trialTemplate.retryPolicy': { limit: 10 } },
    'less than or equal to 9',
  ),
  inExperiment(
    'a condition on no values',
    { [`${parameter}.when`]: { parameter: 'activation', in: [] } },
    'at least 1 items',
  ),
];

const backoff = 'spec.tasks.1.retryStrategy.backoff';

const pipelineRefusals: readonly Refusal[] = [
  inPipeline(
    'a name of 53 characters',
    { 'metadata.name': 'a'.repeat(53) },
    'at most 52 characters',
  ),
  ...['0 2 * *', 'every night', 'CRON_TZ=UTC 0 2 * * *', '@reboot'].map((schedule) =>
    inPipeline(`the schedule "${schedule}"`, { 'spec.schedule': schedule }, 'must be five fields'),
  ),
  ...['Mars/Olympus', 'Local', '+02:00', 'Europe/Berlin; rm'].map((zone) =>
    inPipeline(
      `the time zone ${zone}`,
      { 'spec.timeZone': zone },
      'must be a time zone of the IANA database',
    ),
  ),
  inPipeline('no task', { 'spec.tasks': [] }, 'should have at least 1 items'),
  inPipeline('tasks left out', { 'spec.tasks': undefined }, 'spec.tasks: Required value'),
  inPipeline('the same task twice', { 'spec.tasks.1.name': 'extract' }, 'Duplicate value'),
  inPipeline(
    'a task that depends on itself',
    { 'spec.tasks.1.depends': 'extract && train' },
    'a task cannot depend on itself',
  ),
  inPipeline(
    'depends with a semicolon',
    { 'spec.tasks.1.depends': 'extract; train' },
    'must be names of tasks',
  ),
  inPipeline(
    'a task that runs nothing',
    { 'spec.tasks.1.experiment': undefined },
    'a task runs exactly one thing',
  ),
  inPipeline(
    'a task that runs two things',
    { 'spec.tasks.0.experiment': { templateRef: { name: 'a' } } },
    'a task runs exactly one thing',
  ),
  inPipeline(
    'a container without an image',
    { 'spec.tasks.0.template.container': { args: [] } },
    'image: Required value',
  ),
  inPipeline('a wait in words', { [`${backoff}.duration`]: 'soon' }, durationSays),
  inPipeline('a task in capitals', { 'spec.tasks.0.name': 'Extract' }, 'must hold only a-z, 0-9'),
  inPipeline('a policy we do not know', { 'spec.concurrencyPolicy': 'Maybe' }, 'supported values'),
  inPipeline(
    'a task with a field we do not know',
    { 'spec.tasks.0.retries': 3 },
    'unknown field "spec.tasks[0].retries"',
  ),
];

const runRefusals: readonly Refusal[] = [
  inRun('a name of 64 characters', { 'metadata.name': 'a'.repeat(64) }, 'at most 63 characters'),
  inRun(
    'neither a Pipeline nor tasks',
    { 'spec.pipelineRef': undefined, 'spec.pipelineSpec': undefined },
    'set pipelineRef',
  ),
  inRun('no task', { 'spec.pipelineSpec.tasks': [] }, 'should have at least 1 items'),
  inRun('a time in words', { 'spec.scheduledTime': 'noon' }, 'must be of type date-time'),
];

const predictor = 'spec.predictor';
const canary = 'spec.strategy.canary';

const metric0 = `${canary}.analysis.metrics.0`;
const fromWeb = (web: object = {}) => ({ name: 'kpi', web: { url: 'http://kpi', ...web } });

const headerStep = (match: object) => ({ setHeaderRoute: { name: 'testers', match: [match] } });
const ofOwn = (name: string, thresholdRange: object) => ({ name, thresholdRange });

const deploymentRefusals: readonly Refusal[] = [
  inDeployment(
    'a name of 46 characters',
    { 'metadata.name': 'a'.repeat(46) },
    'at most 45 characters',
  ),
  inDeployment(
    'a name that starts with a digit',
    { 'metadata.name': '1st' },
    'metadata.name must start with a letter',
  ),
  inDeployment(
    'alias and version',
    { [`${predictor}.model.version`]: '1.0.0' },
    'set exactly one of alias',
  ),
  inDeployment(
    'neither alias nor version',
    { [`${predictor}.model.alias`]: undefined },
    'set exactly one of alias',
  ),
  inDeployment(
    'no model',
    { [`${predictor}.model`]: undefined },
    'spec.predictor.model: Required value',
  ),
  inDeployment(
    'replicas beside minReplicas',
    { [`${predictor}.replicas`]: 2 },
    'set either replicas',
  ),
  inDeployment(
    'minReplicas alone',
    { [`${predictor}.maxReplicas`]: undefined },
    'minReplicas needs maxReplicas',
  ),
  inDeployment(
    'minReplicas above maxReplicas',
    { [`${predictor}.minReplicas`]: 5 },
    'must not be greater than maxReplicas',
  ),
  inDeployment(
    'an autoscaler with a fixed number',
    {
      [`${predictor}.replicas`]: 1,
      [`${predictor}.minReplicas`]: undefined,
      [`${predictor}.maxReplicas`]: undefined,
    },
    'autoScaling needs maxReplicas',
  ),
  inDeployment(
    'a negative number of pods',
    { [`${predictor}.replicas`]: -1 },
    'greater than or equal to 0',
  ),
  inDeployment(
    'a metric without a type',
    { [`${predictor}.autoScaling.metrics`]: [{}] },
    'type: Required value',
  ),
  inDeployment(
    'memory in words',
    { [`${predictor}.resources.requests`]: { memory: 'much' } },
    'memory',
  ),
  inDeployment('a timeout without a unit', { [`${predictor}.timeout`]: '10' }, durationSays),
  inDeployment(
    'a sample rate of 2',
    { [`${predictor}.logger.sampleRate`]: 2 },
    'less than or equal to 1',
  ),
  inDeployment('no step', { [`${canary}.steps`]: [] }, 'should have at least 1 items'),
  inDeployment(
    'a step with two keys',
    { [`${canary}.steps.0`]: { setWeight: 1, pause: {} } },
    'a step has exactly one key',
  ),
  inDeployment('a step with no key', { [`${canary}.steps.0`]: {} }, 'a step has exactly one key'),
  inDeployment(
    'a weight of 101',
    { [`${canary}.steps.0`]: { setWeight: 101 } },
    'less than or equal to 100',
  ),
  inDeployment(
    'a canary scaled in two ways',
    { [`${canary}.steps.0`]: { setCanaryScale: { replicas: 1, weight: 50 } } },
    'set exactly one of replicas, weight',
  ),
  inDeployment(
    'a header matched in no way',
    { [`${canary}.steps.0`]: headerStep({ headerName: 'x-tester' }) },
    'set exactly one of exact, prefix',
  ),
  inDeployment(
    'a header with a space',
    { [`${canary}.steps.0`]: headerStep({ headerName: 'x tester', exact: 'yes' }) },
    'must be the name of a header',
  ),
  inDeployment(
    'copies of 101 % of the requests',
    { [`${canary}.steps.0`]: { setMirrorRoute: { name: 'shadow', percentage: 101 } } },
    'less than or equal to 100',
  ),
  inDeployment(
    'copies of requests without a route',
    {
      [`${canary}.steps.0`]: { setMirrorRoute: { name: 'shadow' } },
      [`${canary}.trafficRouting`]: undefined,
    },
    'need trafficRouting.istio',
  ),
  inDeployment(
    'an analysis step without metrics',
    { [`${canary}.steps.0`]: { analysis: {} }, [`${canary}.analysis`]: undefined },
    'state them',
  ),
  inDeployment(
    'a pause without a unit',
    { [`${canary}.steps.1.pause.duration`]: '60' },
    durationSays,
  ),
  inDeployment(
    '99 where 0.99 is meant',
    { [`${canary}.analysis.metrics.0.thresholdRange.min`]: 99 },
    'write 0.99 for 99 %',
  ),
  inDeployment(
    'a metric without a threshold',
    { [`${canary}.analysis.metrics.0.thresholdRange`]: {} },
    'set min, max or both',
  ),
  inDeployment(
    'a threshold upside down',
    { [`${canary}.analysis.metrics.1.thresholdRange`]: { min: 2, max: 1 } },
    'min must not be greater than max',
  ),
  inDeployment(
    'a quantile of a rate',
    { [`${canary}.analysis.metrics.0.quantile`]: 0.9 },
    'quantile belongs to request-duration',
  ),
  inDeployment(
    'a quantile of 1',
    { [`${canary}.analysis.metrics.1.quantile`]: 1 },
    'should be less than 1',
  ),
  inDeployment(
    'a metric we do not know',
    { [`${canary}.analysis.metrics.0.name`]: 'joy' },
    'any other metric has exactly one of prometheus, web, job',
  ),
  inDeployment(
    'a metric of two sources',
    { [metric0]: { ...fromWeb(), job: { spec: {} } } },
    'any other metric has exactly one of prometheus, web, job',
  ),
  inDeployment(
    'a built-in metric of another source',
    { [metric0]: { ...fromWeb(), name: 'request-duration' } },
    'have no source',
  ),
  inDeployment(
    'a built-in metric without a threshold',
    { [`${metric0}.thresholdRange`]: undefined },
    'state thresholdRange',
  ),
  inDeployment(
    'a query without a threshold',
    { [metric0]: { name: 'errors', prometheus: { address: 'http://prometheus', query: 'up' } } },
    'state thresholdRange',
  ),
  inDeployment(
    'a threshold of a job',
    { [metric0]: { name: 'smoke', job: { spec: {} }, thresholdRange: { min: 1 } } },
    'leave thresholdRange out',
  ),
  ...['initialDelay', 'failureLimit', 'consecutiveSuccessLimit', 'consecutiveErrorLimit'].map(
    (field) =>
      inDeployment(
        `${field} of a built-in metric`,
        { [`${metric0}.${field}`]: field === 'initialDelay' ? '1m' : 1 },
        `${field} belongs to metrics from prometheus, web, job only`,
      ),
  ),
  inDeployment(
    'a web metric of a file',
    { [metric0]: fromWeb({ url: 'file:///etc/passwd' }) },
    'must begin with http:// or https://',
  ),
  inDeployment(
    'a web metric with a password',
    { [metric0]: fromWeb({ url: 'http://me:secret@kpi/' }) },
    'hold no user, password or spaces',
  ),
  inDeployment(
    'a web metric that may take a minute',
    { [metric0]: fromWeb({ timeout: '1m' }) },
    'must be from 1ms to 30s',
  ),
  inDeployment(
    'a web metric with a filter',
    { [metric0]: fromWeb({ jsonPath: '{$.items[?(@.a)]}' }) },
    'filters and wildcards are not supported',
  ),
  inDeployment(
    'a header with a line break',
    { [metric0]: fromWeb({ headers: [{ key: 'x-a', value: 'b\nc' }] }) },
    'printable ASCII',
  ),
  inDeployment(
    'a header with a space in its name',
    { [metric0]: fromWeb({ headers: [{ key: 'x a', value: 'b' }] }) },
    'must be the name of a header',
  ),
  inDeployment(
    'a prediction error that must be great',
    { [`${canary}.analysis.metrics.0`]: ofOwn('prediction-error', { min: 0.1 }) },
    'never too small',
  ),
  inDeployment(
    'a drift that may be negative',
    { [`${canary}.analysis.metrics.0`]: ofOwn('drift', { max: -1 }) },
    'never too small',
  ),
  inDeployment(
    'an error of 5 where 0.05 is meant',
    { [`${canary}.analysis.metrics.0`]: ofOwn('prediction-error', { max: 5 }) },
    'write 0.05 for 5 %',
  ),
  ...(['error', 'output', 'maxIncrease'] as const).map((field) =>
    inDeployment(
      `${field} of drift`,
      {
        [`${canary}.analysis.metrics.0`]: {
          ...ofOwn('drift', { max: 0.2 }),
          [field]: { error: 'wrong-answers', output: 'Y', maxIncrease: 0.1 }[field],
        },
      },
      `${field} belongs to prediction-error only`,
    ),
  ),
  ...(['side', 'feature'] as const).map((field) =>
    inDeployment(
      `${field} of a prediction error`,
      {
        [`${canary}.analysis.metrics.0`]: {
          ...ofOwn('prediction-error', { max: 0.05 }),
          [field]: { side: 'inputs', feature: 'X[0]' }[field],
        },
      },
      `${field} belongs to drift only`,
    ),
  ),
  inDeployment(
    'a prediction error without logged answers',
    {
      [`${canary}.analysis.metrics.0`]: ofOwn('prediction-error', { max: 0.05 }),
      'spec.predictor.logger.mode': 'request',
    },
    'set predictor.logger',
  ),
  inDeployment(
    'a prediction error without a log',
    {
      [`${canary}.analysis.metrics.0`]: ofOwn('prediction-error', { max: 0.05 }),
      'spec.predictor.logger': undefined,
    },
    'set predictor.logger',
  ),
  inDeployment(
    'a gateway with two slashes',
    { [`${canary}.trafficRouting.istio.gateways.0`]: 'a/b/c' },
    'must be namespace/name',
  ),
  inDeployment(
    'a host with a port',
    { [`${canary}.trafficRouting.istio.hosts.0`]: 'a.example.com:80' },
    'must be a host name',
  ),
  inDeployment(
    'no time to become ready',
    { 'spec.progressDeadlineSeconds': 0 },
    'greater than or equal to 1',
  ),
  inDeployment(
    'an environment with a space',
    { 'spec.environment': 'my lab' },
    'must hold only a-z, 0-9',
  ),
  inDeployment(
    'a promotion beside a version',
    {
      [`${predictor}.model.alias`]: undefined,
      [`${predictor}.model.version`]: '1.0.0',
      'spec.promotion': { from: { name: 'staging' } },
    },
    'promotion moves an alias: set predictor.model.alias',
  ),
  inDeployment(
    'a promotion from itself',
    { 'spec.promotion': { from: { name: 'digits' } } },
    'promotion.from must name another Deployment',
  ),
  inDeployment(
    'a promotion from another namespace',
    { 'spec.promotion': { from: { name: 'staging', namespace: 'other' } } },
    'unknown field "spec.promotion.from.namespace"',
  ),
  inDeployment(
    'no gate',
    { 'spec.promotion': { from: { name: 'staging' }, gates: [] } },
    'should have at least 1 items',
  ),
  inDeployment(
    'a gate with two keys',
    { 'spec.promotion': { from: { name: 'staging' }, gates: [{ bakeTime: '1h', approval: {} }] } },
    'a gate has exactly one key',
  ),
  inDeployment(
    'a gate that bakes for a word',
    { 'spec.promotion': { from: { name: 'staging' }, gates: [{ bakeTime: 'long' }] } },
    durationSays,
  ),
  inDeployment('a step in the wrong place', { 'spec.steps': [] }, 'unknown field "spec.steps"'),
];

const goal = 'spec.metrics.goal';

const bandit = { mode: 'bandit' };
const latency = { name: 'latency', type: 'quantile', quantile: 0.9, direction: 'decrease' };

const testRefusals: readonly Refusal[] = [
  inTest(
    'a quantile judged at one look',
    {
      'spec.inference': { mode: 'fixed-horizon' },
      'spec.metrics.goal.0': {
        ...{ name: 'latency', type: 'quantile', quantile: 0.9, direction: 'decrease' },
      },
    },
    'judged sequentially only',
  ),
  inTest('no candidate', { 'spec.candidates': [] }, 'should have at least 1 items'),
  inTest('weights above 100', { 'spec.candidates.1.weight': 60 }, 'sum to at most 100'),
  inTest(
    'a candidate called control',
    { 'spec.candidates.0.name': 'control' },
    '"control" is the name of',
  ),
  inTest('the same candidate twice', { 'spec.candidates.1.name': 'bigger' }, 'Duplicate value'),
  inTest(
    'a candidate with a long name',
    { 'spec.candidates.0.name': 'a'.repeat(17) },
    'may not be more than 16',
  ),
  inTest(
    'header and cookie',
    { 'spec.unit.cookie': 'user' },
    'set exactly one of header and cookie',
  ),
  inTest('neither header nor cookie', { 'spec.unit': {} }, 'set exactly one of header and cookie'),
  inTest('a header with a space', { 'spec.unit.header': 'x user' }, 'must be the name of a header'),
  inTest(
    'a cookie with a space',
    { 'spec.unit': { cookie: 'x user' } },
    'must be the name of a cookie',
  ),
  inTest('no goal', { [goal]: [] }, 'should have at least 1 items'),
  inTest(
    'a quantile without which',
    { [`${goal}.1.quantile`]: undefined },
    'type quantile needs quantile',
  ),
  inTest(
    'a proportion with a quantile',
    { [`${goal}.0.quantile`]: 0.5 },
    'type quantile needs quantile',
  ),
  inTest(
    'a ratio without a denominator',
    { [`${goal}.2.denominator`]: undefined },
    'type ratio needs numerator',
  ),
  inTest(
    'a mean with a numerator',
    { [`${goal}.0.numerator`]: 'clicks' },
    'type ratio needs numerator',
  ),
  inTest(
    'a guardrail without a margin',
    { 'spec.metrics.guardrails.0.margin': undefined },
    'margin: Required value',
  ),
  inTest(
    'two margins',
    { 'spec.metrics.guardrails.0.margin.relative': 0.1 },
    'set exactly one of absolute and relative',
  ),
  inTest(
    'a goal that is a guardrail too',
    { 'spec.metrics.guardrails.0.name': 'conversion' },
    'either a goal or a guardrail',
  ),
  inTest(
    'a guardrail that is secondary, too',
    {
      'spec.metrics.secondary': [{ name: 'request-duration', type: 'mean', direction: 'decrease' }],
    },
    'reported already: leave it out of secondary',
  ),
  inTest('a bandit with three goals', { 'spec.allocation': bandit }, 'exactly one goal'),
  inTest(
    'a bandit of quantiles',
    { 'spec.allocation': bandit, 'spec.metrics.secondary': [latency] },
    'quantiles cannot be compared where weights change',
  ),
  inTest(
    'a bandit that is judged at one look',
    { 'spec.allocation': bandit, 'spec.inference': { mode: 'fixed-horizon' } },
    'a bandit ends by allocation.probabilityToBeBest',
  ),
  inTest(
    'a bandit that starts below its floor',
    { 'spec.allocation': { mode: 'bandit', floor: 20 } },
    'starts with allocation.floor percent',
  ),
  inTest('a floor of 0', { 'spec.allocation': { floor: 0 } }, 'greater than or equal to 1'),
  inTest(
    'a probability to be best of 1',
    { 'spec.allocation': { probabilityToBeBest: 1 } },
    'should be less than 1',
  ),
  inTest('alpha of 0', { 'spec.alpha': 0 }, 'should be greater than 0'),
  inTest('alpha of 0.6', { 'spec.alpha': 0.6 }, 'less than or equal to 0.5'),
  inTest('rolling back on a decision', { 'spec.onDecision': 'rollback' }, 'supported values'),
  inTest('a run time in words', { 'spec.maximumRuntime': 'two weeks' }, durationSays),
];

const trigger = 'spec.triggers';

const policyRefusals: readonly Refusal[] = [
  inPolicy('no trigger', { [trigger]: [] }, 'should have at least 1 items'),
  inPolicy(
    'neither Experiment nor Pipeline',
    { 'spec.experimentRef': undefined },
    'set exactly one of experimentRef',
  ),
  inPolicy(
    'Experiment and Pipeline',
    { 'spec.pipelineRef': { name: 'nightly' } },
    'set exactly one of experimentRef',
  ),
  inPolicy(
    'performance of nothing',
    { [`${trigger}.0.metric`]: undefined },
    'of type performance needs metric',
  ),
  inPolicy(
    'performance without a limit',
    { [`${trigger}.0.min`]: undefined },
    'of type performance needs min, max',
  ),
  inPolicy(
    'performance with a cron',
    { [`${trigger}.0.cron`]: '@daily' },
    'of type performance has only',
  ),
  inPolicy(
    'drift without a threshold',
    { [`${trigger}.1.threshold`]: undefined },
    'of type drift needs method and threshold',
  ),
  inPolicy(
    'drift of one metric',
    { [`${trigger}.1.metric`]: 'accuracy' },
    'of type drift has only',
  ),
  inPolicy(
    'a schedule without a cron',
    { [`${trigger}.2.cron`]: undefined },
    'of type schedule needs cron',
  ),
  inPolicy(
    'a schedule with a window',
    { [`${trigger}.2.window`]: '1h' },
    'of type schedule has only',
  ),
  inPolicy('a trigger we do not know', { [`${trigger}.0.type`]: 'mood' }, 'supported values'),
  inPolicy(
    'a time zone that is none',
    { [`${trigger}.2.timeZone`]: 'Mars/Olympus' },
    'IANA database',
  ),
  inPolicy(
    'a cron with a zone in it',
    { [`${trigger}.2.cron`]: 'TZ=UTC 0 3 * * 0' },
    'must be five fields',
  ),
  inPolicy(
    'two triggers of one name',
    { [`${trigger}.0.name`]: 'a', [`${trigger}.1.name`]: 'a' },
    'names of triggers must be unique',
  ),
  inPolicy(
    'a gate without a limit',
    { 'spec.validation.metrics': [{ name: 'a' }] },
    'set min, max or both',
  ),
  inPolicy('a rollout we do not know', { 'spec.rollout': 'bigbang' }, 'supported values'),
];

/** Everything that must be refused when it is created. */
export const refusals: readonly Refusal[] = [
  ...modelRefusals,
  ...versionRefusals,
  ...aliasRefusals,
  ...experimentRefusals,
  ...pipelineRefusals,
  ...runRefusals,
  ...deploymentRefusals,
  ...testRefusals,
  ...policyRefusals,
];
