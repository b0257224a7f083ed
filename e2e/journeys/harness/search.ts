import { queryDatabase } from './database.ts';
import { at, kubectlJson, listAt, textAt } from './kubectl.ts';
import { settings } from './settings.ts';
import type { Manifest, Tenant } from './tenant.ts';

/** Where the search's valley is; its floor is 0. */
const FLOOR = { x: 0.3, y: -2 };

/** What a trial with these parameters says of its loss in the end. */
export const lossAt = (x: number, y: number): number => (x - FLOOR.x) ** 2 + (y - FLOOR.y) ** 2;

/** Says a loss that falls to `lossAt(x, y)` within so many steps, as trainings print it. */
const trial = (steps: number, pauseSeconds: number): string =>
  [
    'import time',
    'x, y = ${trialParameters.x}, ${trialParameters.y}',
    `for step in range(1, ${steps + 1}):`,
    `    print(f"step={step} loss={(x - ${FLOOR.x}) ** 2 + (y + ${-FLOOR.y}) ** 2 + (${steps} - step) / 10!r}", flush=True)`,
    `    time.sleep(${pauseSeconds})`,
  ].join('\n');

export type SearchShape = {
  readonly trials: number;
  readonly steps: number;
  readonly pauseSeconds: number;
  readonly earlyStopping?: object;
};

/** Searches for the lowest point of a valley, three trials at once; trials only print what they find. */
export const valleySearch = (
  name: string,
  { trials, steps, pauseSeconds, earlyStopping }: SearchShape,
): Manifest => ({
  kind: 'Experiment',
  metadata: { name },
  spec: {
    objective: {
      type: 'minimize',
      objectiveMetricName: 'loss',
      metricStrategies: [{ name: 'loss', value: 'latest' }],
    },
    algorithm: {
      algorithmName: 'tpe',
      algorithmSettings: [
        { name: 'seed', value: '7' },
        { name: 'n_startup_trials', value: '5' },
      ],
    },
    ...(earlyStopping === undefined ? {} : { earlyStopping }),
    parameters: [
      {
        name: 'x',
        parameterType: 'double',
        feasibleSpace: { min: '0.001', max: '1', distribution: 'logUniform' },
      },
      { name: 'y', parameterType: 'int', feasibleSpace: { min: '-5', max: '5' } },
    ],
    parallelTrialCount: 3,
    maxTrialCount: trials,
    trialTemplate: {
      primaryContainerName: 'train',
      trialParameters: ['x', 'y'].map((each) => ({ name: each, reference: each })),
      trialSpec: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        spec: { template: { spec: podOf(trial(steps, pauseSeconds)) } },
      },
    },
  },
});

const podOf = (program: string): object => ({
  restartPolicy: 'Never',
  containers: [
    {
      name: 'train',
      image: settings().images['mlops-trainer-digits'],
      command: ['python', '-c', program],
      resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    },
  ],
});

/** The Job of every pod that was ever started for the search, however it ended. */
export const podsStarted = async (tenant: Tenant, search: string): Promise<readonly string[]> => {
  const events = await kubectlJson(
    ...['get', 'events', '-n', tenant.namespace],
    ...['--field-selector', 'reason=SuccessfulCreate,involvedObject.kind=Job'],
  );
  return listAt(events, 'items')
    .flatMap((event) =>
      Array<string>(Number(at(event, 'count') ?? 1)).fill(textAt(event, 'involvedObject.name')),
    )
    .filter((job) => job.startsWith(`${search}-`));
};

/** How many trials of the search the engine has, by their state. */
export const trialsOfEngine = async (
  tenant: Tenant,
  search: string,
): Promise<Readonly<Record<string, number>>> => {
  const rows = await queryDatabase(
    `select t.state || ' ' || count(*) from optuna.trials t join optuna.studies s using (study_id)
     where s.study_name like '${tenant.namespace}/${search}/%' group by t.state`,
  );
  return Object.fromEntries(
    rows.map((row) => row.split(' ')).map(([state = '', count]) => [state, Number(count)]),
  );
};
