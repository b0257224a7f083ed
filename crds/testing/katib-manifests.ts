/**
 * Experiments in the shapes of fields that Katib v1beta1 knows, written anew: what somebody has who
 * changes apiVersion and image of theirs.
 * Katib's API: https://www.kubeflow.org/docs/components/katib/reference/experiment-api/
 */

type Fields = Readonly<Record<string, unknown>>;
type Shape = {
  readonly metadata?: Fields;
  readonly spec?: Fields;
  readonly trialTemplate?: Fields;
};

const trialSpec = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'trainer',
            image: 'registry.example.com/iris:1',
            command: ['python', 'fit.py', '--rate=${trialParameters.rate}'],
          },
        ],
        restartPolicy: 'Never',
      },
    },
  },
};

/** A search over the parameter rate, as Katib writes it. */
export const katibManifest = ({ metadata = {}, spec = {}, trialTemplate = {} }: Shape = {}) => ({
  apiVersion: 'mlops.pynomaly.io/v1alpha1',
  kind: 'Experiment',
  metadata: { name: 'iris-search', ...metadata },
  spec: {
    objective: { type: 'maximize', goal: 0.98, objectiveMetricName: 'f1' },
    algorithm: { algorithmName: 'random' },
    parallelTrialCount: 2,
    maxTrialCount: 10,
    maxFailedTrialCount: 2,
    parameters: [rate],
    ...spec,
    trialTemplate: {
      primaryContainerName: 'trainer',
      trialParameters: [{ name: 'rate', description: 'Step size', reference: 'rate' }],
      trialSpec,
      ...trialTemplate,
    },
  },
});

export const rate = {
  name: 'rate',
  parameterType: 'double',
  feasibleSpace: { min: '0.01', max: '0.5' },
};
export const rounds = {
  name: 'rounds',
  parameterType: 'int',
  feasibleSpace: { min: '1', max: '4' },
};

/** Settings as Katib lists them. */
export const settings = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

export const katibAlgorithm = (algorithmName: string, values?: Readonly<Record<string, string>>) =>
  katibManifest({
    spec: {
      algorithm: {
        algorithmName,
        ...(values === undefined ? {} : { algorithmSettings: settings(values) }),
      },
      parameters: [rate, rounds],
    },
  });

/** With metadata of the Job in the template. */
export const katibMetadata = katibManifest({
  trialTemplate: {
    trialParameters: [
      { name: 'rate', reference: 'rate' },
      { name: 'job', description: 'Name of the Job', reference: '${trialSpec.Name}' },
      { name: 'where', reference: '${trialSpec.Namespace}' },
      { name: 'kind', reference: '${trialSpec.Kind}' },
      { name: 'version', reference: '${trialSpec.APIVersion}' },
      { name: 'team', reference: '${trialSpec.Labels[example.com/team]}' },
      { name: 'note', reference: '${trialSpec.Annotations[note]}' },
    ],
    trialSpec: {
      ...trialSpec,
      metadata: { labels: { 'example.com/team': 'plants' }, annotations: { note: 'second try' } },
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'trainer',
                image: 'registry.example.com/iris:1',
                args: [
                  '${trialParameters.job}',
                  '${trialParameters.where}',
                  '${trialParameters.kind}',
                  '${trialParameters.version}',
                  '${trialParameters.team}',
                  '${trialParameters.note}',
                ],
              },
            ],
            restartPolicy: 'Never',
          },
        },
      },
    },
  },
});

const ended = (type: string) => `status.conditions.#(type=="${type}")#|#(status=="True")#`;
const nameValue = String.raw`([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)`;
const objective = { type: 'minimize', objectiveMetricName: 'loss' };

/** Shapes that mean something here, by what is special about them. */
export const katibShapes: Readonly<Record<string, ReturnType<typeof katibManifest>>> = {
  'the least there is': katibManifest(),
  'another namespace': katibManifest({ metadata: { namespace: 'plants' } }),
  'more metrics, and which value of each counts': katibManifest({
    spec: {
      objective: {
        ...objective,
        goal: 0.001,
        additionalMetricNames: ['f1', 'Train-accuracy'],
        metricStrategies: [
          { name: 'loss', value: 'latest' },
          { name: 'f1', value: 'max' },
          { name: 'Train-accuracy', value: 'min' },
        ],
      },
    },
  }),
  'no goal': katibManifest({ spec: { objective } }),
  'every type of parameter': katibManifest({
    spec: {
      parameters: [
        { ...rate, feasibleSpace: { min: '0.01', max: '0.5', step: '0.01' } },
        { ...rounds, feasibleSpace: { min: '1', max: '9', step: '2' } },
        { name: 'size', parameterType: 'discrete', feasibleSpace: { list: ['16', '32.5'] } },
        { name: 'solver', parameterType: 'categorical', feasibleSpace: { list: ['sgd', 'adam'] } },
      ],
    },
  }),
  'every distribution': katibManifest({
    spec: {
      parameters: ['uniform', 'logUniform', 'normal', 'logNormal'].map((distribution, index) => ({
        name: index === 0 ? 'rate' : `rate-${index}`,
        parameterType: index % 2 === 0 ? 'double' : 'int',
        feasibleSpace: { min: '1', max: '64', distribution },
      })),
    },
  }),
  'stopping by the median': katibManifest({
    spec: {
      earlyStopping: {
        algorithmName: 'medianstop',
        algorithmSettings: settings({ min_trials_required: '1', start_step: '2' }),
      },
    },
    trialTemplate: { retain: true },
  }),
  'metrics from the log': katibManifest({
    spec: { metricsCollectorSpec: { collector: { kind: 'StdOut' } } },
  }),
  "metrics from the log by Katib's own expression": katibManifest({
    spec: {
      metricsCollectorSpec: {
        collector: { kind: 'StdOut' },
        source: { filter: { metricsFormat: [nameValue] } },
      },
    },
  }),
  'no collector': katibManifest({
    spec: { metricsCollectorSpec: { collector: { kind: 'None' } } },
  }),
  'resuming never': katibManifest({ spec: { resumePolicy: 'Never' } }),
  "Katib's conditions of a Job": katibManifest({
    trialTemplate: { successCondition: ended('Complete'), failureCondition: ended('Failed') },
  }),
  'metadata of the Job': katibMetadata,
};

const collected = (metricsCollectorSpec: Fields) =>
  katibManifest({ spec: { metricsCollectorSpec } });
const ofKind = (kind: string, more: Fields = {}) => collected({ collector: { kind, ...more } });
const fromSource = (source: Fields, kind = 'StdOut') => collected({ collector: { kind }, source });

/** Shapes that are refused when they are applied, by what the refusal says. */
export const katibRefusals: readonly (readonly [
  what: string,
  manifest: ReturnType<typeof katibManifest>,
  says: string,
])[] = [
  ...['pbt', 'enas', 'darts'].map(
    (name) =>
      [name, katibAlgorithm(name), 'instead of pbt take tpe with earlyStopping asha'] as const,
  ),
  [
    'nasConfig',
    katibManifest({ spec: { nasConfig: { graphConfig: { numLayers: 1 }, operations: [] } } }),
    'nasConfig is not supported: architectures of networks are not searched',
  ],
  ...['File', 'TensorFlowEvent', 'PrometheusMetric', 'Push', 'Custom'].map(
    (kind) => [`the collector ${kind}`, ofKind(kind), 'must be StdOut or None'] as const,
  ),
  [
    'a collector of their own',
    ofKind('StdOut', { customCollector: { name: 'mine', image: 'mine:1' } }),
    'customCollector is not supported: no sidecar runs beside a trial',
  ],
  [
    'a path',
    fromSource({ fileSystemPath: { path: '/out/log.json', kind: 'File', format: 'JSON' } }),
    'fileSystemPath is not supported: no sidecar reads files of a trial',
  ],
  [
    'a port',
    fromSource({ httpGet: { path: '/metrics', port: 8080 } }),
    'httpGet is not supported: no sidecar asks the trial',
  ],
  [
    'an expression of their own',
    fromSource({ filter: { metricsFormat: [String.raw`(\w+) is (\d+)`] } }),
    "must be left out, or be Katib's own expression for name=value",
  ],
  [
    'an expression without a log',
    fromSource({ filter: { metricsFormat: [nameValue] } }, 'None'),
    'set collector.kind to StdOut',
  ],
  ...['LongRunning', 'FromVolume'].map(
    (policy) =>
      [
        `resuming ${policy}`,
        katibManifest({ spec: { resumePolicy: policy } }),
        'raise maxTrialCount while it runs, or create another Experiment',
      ] as const,
  ),
  [
    'labels of the primary pod',
    katibManifest({ trialTemplate: { primaryPodLabels: { role: 'worker' } } }),
    'primaryPodLabels is not supported: every pod of a trial belongs to its Job',
  ],
  [
    'a condition of success',
    katibManifest({ trialTemplate: { successCondition: 'status.succeeded' } }),
    'a trial has succeeded when its Job does',
  ],
  [
    'a condition of failure',
    katibManifest({ trialTemplate: { failureCondition: ended('Complete') } }),
    'a trial has failed when its Job does',
  ],
  [
    'a PyTorchJob',
    katibManifest({
      trialTemplate: {
        trialSpec: { ...trialSpec, apiVersion: 'kubeflow.org/v1', kind: 'PyTorchJob' },
      },
    }),
    'must be Job, JobSet or TrainJob: other kinds (PyTorchJob, TFJob, MPIJob, Workflow, …) are not supported',
  ],
  [
    'another apiVersion',
    katibManifest({ trialTemplate: { trialSpec: { ...trialSpec, apiVersion: 'batch/v1beta1' } } }),
    'must be batch/v1, jobset.x-k8s.io/v1alpha2 or trainer.kubeflow.org/v1alpha1: a trial is a Job',
  ],
];
